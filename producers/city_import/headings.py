"""What the columns of an office's spreadsheets, and the properties of its maps, are called.

`producers.city_import.sources` finds the fields of a file by this table. A heading is compared
without blanks, case and brackets; a unit in brackets or behind the name is kept apart, since
`核定载质量(吨)` and `核定载质量(kg)` are the same field in two units. Pure.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Subject = Literal["districts", "sites", "routes", "zones", "trucks", "permits"]

_VALIDITY = {
    "valid_from": ("有效期起", "生效日期", "开始日期", "起始日期", "valid_from", "from",
                   "start_date"),
    "valid_to": ("有效期止", "失效日期", "截止日期", "结束日期", "有效期至", "valid_to", "to",
                 "end_date"),
    "validity": ("有效期", "有效期限", "起止日期", "validity"),
}  # fmt: skip
_PLACES = {
    "lon": ("经度", "lon", "lng", "longitude"),
    "lat": ("纬度", "lat", "latitude"),
    "radius_m": ("半径", "radius"),
}
_NAMES = ("名称", "name", "标题", "title")

HEADINGS: Mapping[Subject, Mapping[str, Sequence[str]]] = {
    "districts": {
        "code": ("行政区划代码", "区划代码", "代码", "编码", "adcode", "code", "gb2260", "pac"),
        "name": ("区县名称", "区县", "行政区", "行政区名称", *_NAMES, "district"),
    },
    "sites": {
        "site_id": ("编号", "场所编号", "工地编号", "项目编号", "消纳场编号", "site_id",
                    "facility_id"),
        "name": ("场所名称", "工地名称", "项目名称", "消纳场名称", "消纳场所名称", *_NAMES, "site"),
        "kind": ("类型", "类别", "场所类型", "kind", "type"),
        **_PLACES,
        "district": ("所属区", "所属区县", "所在区", "所在区县", "区县", "行政区", "区划代码",
                     "district", "district_code"),
        "hours": ("开放时间", "开放时段", "营业时间", "营业时段", "运营时间", "运营时段",
                  "作业时间", "时段", "hours"),
        "capacity_m3": ("容量", "库容", "消纳容量", "剩余容量", "capacity"),
        **_VALIDITY,
    },
    "routes": {
        "route_id": ("编号", "路线编号", "线路编号", "route_id"),
        "name": ("路线名称", "线路名称", "路线", *_NAMES, "route"),
        "corridor_m": ("允许偏离", "允许偏离距离", "偏离界限", "corridor"),
    },
    "zones": {
        "zone_id": ("编号", "区域编号", "zone_id"),
        "name": ("区域名称", *_NAMES, "zone"),
        "kind": ("类型", "类别", "区域类型", "kind", "type"),
        "limit_kmh": ("限速", "限速值", "最高时速", "limit", "speed_limit"),
        "hours": ("时段", "禁行时段", "限行时段", "限行时间", "hours"),
        **_VALIDITY,
    },
    "trucks": {
        "truck_id": ("车牌号", "车牌", "车牌号码", "号牌", "号牌号码", "车辆号牌", "车号", "truck",
                     "truck_id", "plate", "license_plate", "plate_number"),
        "terminal_id": ("终端手机号", "终端号", "终端编号", "终端ID", "SIM卡号", "SIM",
                        "SIM号", "SIM卡", "终端SIM", "终端SIM卡号",
                        "terminal", "terminal_id", "phone"),
        "company": ("企业", "企业名称", "运输企业", "运输公司", "公司", "公司名称", "所属企业",
                    "所属公司", "所属单位", "运输单位", "company"),
        "max_load_kg": ("核定载质量", "核载", "核载质量", "核定载重", "核定载重量",
                        "额定载重", "载质量", "载重", "载重量", "max_load"),
    },
    "permits": {
        "permit_id": ("核准文号", "核准证号", "核准编号", "准运证号", "许可证号",
                      "处置证号", "证号", "编号", "permit", "permit_id", "permit_number"),
        "truck_ids": ("车牌号", "车牌", "车牌号码", "号牌", "号牌号码", "车辆", "车辆号牌",
                      "运输车辆", "车号", "truck", "trucks", "truck_id", "truck_ids",
                      "plate", "plates"),
        "source_site_ids": ("工地", "工地名称", "出土工地", "装载工地", "来源工地", "项目名称",
                            "起点", "source", "sources", "source_site", "source_site_ids"),
        "disposal_site_ids": ("消纳场", "消纳场所", "消纳场名称", "消纳地点", "卸土点", "倾倒场所",
                              "终点", "disposal", "disposal_site", "disposal_sites",
                              "disposal_site_ids"),
        "route_ids": ("路线", "运输路线", "核准路线", "行驶路线", "线路", "route", "routes",
                      "route_ids"),
        "districts": ("行政区", "允许行政区", "通行区域", "区县", "districts", "district"),
        "hours": ("运输时段", "运输时间", "允许时段", "时段", "作业时间", "hours"),
        **_VALIDITY,
    },
}  # fmt: skip
"""By field; the first name is the one that the example's files have."""

ID_FIELDS: Mapping[Subject, str] = {
    "districts": "code",
    "sites": "site_id",
    "routes": "route_id",
    "zones": "zone_id",
    "trucks": "truck_id",
    "permits": "permit_id",
}

_BRACKETED = re.compile(r"[(（\[【](.*?)[)）\]】]")
_UNIT_BEHIND = re.compile(r"(?<=[a-z一-鿿])_(kg|t|m|km|m3|kmh|wgs84|gcj02|bd09)$")
_NOISE = re.compile(r"[\s_*:：\-]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column or property as it is written in the file."""

    text: str
    key: str
    """As it is compared."""
    unit: str
    """What stood in brackets, or behind an English name; "" where nothing did."""

    @classmethod
    def of(cls, text: str) -> "Heading":
        plain = unicodedata.normalize("NFKC", text).strip().casefold()
        units = _BRACKETED.findall(plain)
        bare = _BRACKETED.sub("", plain).strip()
        if behind := _UNIT_BEHIND.search(bare):
            units.append(behind[1])
            bare = bare[: behind.start()]
        return cls(text.strip(), _NOISE.sub("", bare), units[0].strip() if units else "")


def field_of(subject: Subject, heading: Heading) -> str | None:
    """The field that a heading stands for."""
    return _FIELDS[subject].get(heading.key)


def names_of(subject: Subject, field: str) -> str:
    """How a field may be called, for messages."""
    return ", ".join(HEADINGS[subject][field])


_FIELDS: Mapping[Subject, Mapping[str, str]] = {
    subject: {
        Heading.of(name).key: field
        # A name that two fields share belongs to the first.
        for field, names in reversed(list(fields.items()))
        for name in (field, *names)
    }
    for subject, fields in HEADINGS.items()
}
