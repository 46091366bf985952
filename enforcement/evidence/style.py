"""How a report looks: sober, on a screen and on A4."""

from typing import Final

STYLE: Final = """
@page { size: A4; margin: 16mm 14mm }
body { font: 13px/1.5 "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC",
  sans-serif; color: #111; max-width: 182mm; margin: 10mm auto; padding: 0 4mm }
h1 { font-size: 20px; border-bottom: 2px solid #111; padding-bottom: 4px }
h2 { font-size: 15px; margin: 20px 0 6px; border-bottom: 1px solid #999; break-after: avoid }
h3 { font-size: 13px; margin: 12px 0 4px; break-after: avoid }
small { font-weight: normal; color: #444 }
.lead { border: 1px solid #111; padding: 6px 10px; font-weight: bold }
table { border-collapse: collapse; width: 100%; font-size: 11px }
th, td { border: 1px solid #bbb; padding: 2px 5px; text-align: left; vertical-align: top;
  overflow-wrap: break-word }
.long { overflow-wrap: anywhere }
th { background: #f2f2f2; white-space: nowrap; font-weight: 600 }
tr { break-inside: avoid }
.pairs th { width: 22% }
figure { margin: 4px 0; break-inside: avoid }
figure svg { width: 100%; height: auto; display: block; margin-bottom: 4px }
figcaption { font-size: 11px; color: #333 }
@media print { body { margin: 0; padding: 0; max-width: none } }
"""
