"""The words of a report in Chinese and English, and its times in the city's own.

Called by `enforcement.evidence.report`. What stands in a violation's own sentences is the
catalogue's; here are only the words around them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

LEAD: Final = (
    "本材料由系统依据车辆定位数据自动生成，所载内容为执法线索；未经执法人员审核确认，不得作为行政处罚的依据。",
    "Made by a program from positions of the vehicle. What it says is a lead; until an officer has "
    "reviewed and confirmed it, it is no ground for a penalty.",
)
REVIEWED: Final = (
    "案件已由 {who} 于 {at} {action}。",
    "The case: {action} by {who} at {at}.",
)
SEVERITIES: Final = {
    "lead": ("线索", "lead"),
    "minor": ("一般", "minor"),
    "major": ("较重", "major"),
    "critical": ("严重", "critical"),
}
PHASES: Final = {
    "opened": ("开始", "opened"),
    "escalated": ("升级", "escalated"),
    "closed": ("结束", "closed"),
    "occurred": ("发生", "occurred"),
    "withdrawn": ("撤回", "withdrawn"),
}
VALUES: Final = {
    "distance_m": ("距离（米）", "distance (m)"),
    "duration_s": ("持续时间（秒）", "duration (s)"),
    "fixes": ("定位点数", "fixes"),
    "speed_kmh": ("速度（km/h）", "speed (km/h)"),
    "local_time": ("当地时间", "local time"),
    "load_kg": ("载重（千克）", "load (kg)"),
    "border_m": ("界线容差（米）", "margin of the border (m)"),
    "min_fixes": ("最少定位点数", "least fixes"),
    "min_s": ("最短持续（秒）", "least duration (s)"),
    "site_margin_m": ("场地范围容差（米）", "margin of a site (m)"),
    "dump_dwell_s": ("停留界限（秒）", "limit of the stay (s)"),
    "severe_s": ("升级界限（秒）", "escalates at (s)"),
    "corridor_m": ("路线走廊（米）", "corridor (m)"),
    "hours": ("核准时段", "permitted hours"),
    "tolerance": ("容许倍数", "tolerance (×)"),
    "max_load_kg": ("核定载重（千克）", "permitted load (kg)"),
    "disposal_site_ids": ("核准消纳场", "permitted disposal sites"),
    "offline_s": ("失联界限（秒）", "limit of silence (s)"),
    "limit_kmh": ("限速（km/h）", "limit (km/h)"),
    "max_trip_s": ("运输时限（秒）", "limit of a trip (s)"),
}
AGAINST: Final = {
    "distance_m": ("corridor_m", "site_margin_m", "border_m"),
    "duration_s": ("min_s", "severe_s", "dump_dwell_s", "offline_s", "max_trip_s"),
    "fixes": ("min_fixes",),
    "speed_kmh": ("limit_kmh",),
    "load_kg": ("max_load_kg", "tolerance"),
    "local_time": ("hours",),
}
"""Which thresholds a measured value is held against."""
PLACES: Final = {
    "site_id": ("场地", "site"),
    "route_id": ("路线", "route"),
    "zone_id": ("区域", "zone"),
    "distance_m": ("距离（米）", "distance (m)"),
}
ACTIONS: Final = {
    "open": ("立案（系统）", "opened by the program"),
    "supervise": ("督办", "put under supervision"),
    "attach": ("添加附件", "file added"),
}
"""Beside those of `enforcement.steps` and the phases."""

HEADS: Final = {
    "title": ("渣土运输违规证据材料", "Evidence of a muck truck's violation"),
    "case": ("案件", "Case"),
    "truck": ("车牌", "Truck"),
    "company": ("企业", "Company"),
    "state": ("状态", "State"),
    "severity": ("等级", "Severity"),
    "district": ("辖区", "District"),
    "origin": ("装载辖区", "Loaded in"),
    "started": ("开始", "Began"),
    "detected": ("认定", "Detected"),
    "ended": ("结束", "Ended"),
    "position": ("经纬度（WGS-84）", "Longitude, latitude (WGS-84)"),
    "permits": ("有效核准文件", "Permits in date"),
    "place": ("相关地点", "Place"),
    "trip": ("运输趟次", "Trip"),
    "measured": ("实测值", "Measured"),
    "threshold": ("界限值", "Threshold"),
    "item": ("项目", "Item"),
    "value": ("数值", "Value"),
    "map": ("位置图", "Map"),
    "map_note": (
        "上为全程；如另有一图，为事件位置近景。十字圆圈为事件位置；红点为违规期间的定位点，白点为其余定位点，旁注当地时间；蓝带为该车核准路线走廊，灰带为其他路线；"
        "场地外虚线为其认定范围；点划线为区县界。",
        "All of the way; where there is a second map, the event from near. Crossed circle: the "
        "event. Red dots: positions during the violation, white dots: others, with local times. "
        "Blue band: corridor of a route permitted to the truck, grey: of others. Dashed round a "
        "site: its reach. "
        "Dash-dotted: borders of districts.",
    ),
    "queue": ("队列记录", "As on the queue"),
    "phase": ("阶段", "Phase"),
    "where": ("主题/分区/偏移", "Topic, partition, offset"),
    "received": ("收到", "Received"),
    "positions": ("定位记录", "Positions"),
    "positions_note": (
        "共 {all} 条，全部载于 positions.jsonl；下表为最后一次认定前后的 {shown} 条。",
        "{all} in all, in positions.jsonl; below {shown} round the last detection.",
    ),
    "time": ("时间", "Time"),
    "speed": ("速度", "Speed"),
    "loaded": ("载货", "Loaded"),
    "lifted": ("举升", "Lifted"),
    "covered": ("密闭", "Covered"),
    "offset": ("偏移/序号", "Offset, index"),
    "history": ("办理过程", "What was done"),
    "who": ("人员", "Who"),
    "action": ("动作", "Action"),
    "why": ("说明", "Why"),
    "hash": ("链哈希", "Hash"),
    "files": ("附件", "Files added"),
    "name": ("名称", "Name"),
    "source": ("来源与版本", "Where it comes from"),
    "records": ("定位记录范围", "Positions"),
    "records_text": (
        "{topic} 分区 {partition}（共 {partitions}），偏移 {first} 至 {last}；本车 {own} 条，"
        "时钟记录 {ticks} 条，同分区其他车辆仅取时间 {others} 条",
        "{topic}, partition {partition} of {partitions}, offsets {first} to {last}; {own} of the "
        "truck, {ticks} ticks, {others} of others, times alone",
    ),
    "frames": ("原始报文", "Frames as received"),
    "city": ("基础数据版本", "Reference data"),
    "program": ("程序版本", "Program"),
    "rules": ("规则目录 rules.md", "Catalogue of rules, rules.md"),
    "sums": ("文件校验（SHA-256）", "Files (SHA-256)"),
    "check": ("核验方法", "How to check it"),
    "check_text": (
        "运行 mucktrack evidence verify 本文件：逐字节核对全部文件，并以包内基础数据"
        "对包内定位记录重新判定，结论须逐字节一致。所示清单哈希应与审计记录中导出时登记的一致。",
        "Run mucktrack evidence verify on the zip: it checks every byte and judges the positions "
        "again by the reference data in it; the verdict has to be the same to the byte. The hash "
        "of the manifest that it prints has to be the one that the audit trail holds.",
    ),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "from": ("自", "from"),
    "none": ("无", "none"),
}

MOST_MS: Final = 253_402_000_000_000
"""Later is no year of four digits."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Times as the city's people write them."""

    zone: ZoneInfo

    def full(self, time_ms: object) -> str:
        """With date and offset; what is no time stays as it is."""
        if not isinstance(time_ms, int) or not 0 <= time_ms < MOST_MS:
            return str(time_ms)
        return f"{self._at(time_ms):%Y-%m-%d %H:%M:%S %z}"

    def clock(self, time_ms: int) -> str:
        return f"{self._at(time_ms):%H:%M:%S}" if 0 <= time_ms < MOST_MS else str(time_ms)

    def _at(self, time_ms: int) -> datetime:
        return datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(self.zone)
