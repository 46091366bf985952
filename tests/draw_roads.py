"""Draws the simulated city: its roads by kind, high houses, tunnels, zones and sites, and where
some trucks were by their terminals in a night.

    python tests/draw_roads.py [FILE]    by default pictures/simulated-city.png

Not collected by pytest. Knows nothing of verdicts.
"""

import sys
from pathlib import Path

import numpy as np
import shapely
from draw_map import SITE_COLOURS
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from geofences.city import City
from geofences.loader import load_city
from producers.demo_city import DEMO_CITY
from producers.fleet import Fleet
from producers.labels import Label
from producers.road_map import RoadMap, read_roads
from producers.simulate import HOUR_MS, file_start_ms
from producers.terrain import Terrain

OUTPUT = Path(__file__).resolve().parent.parent / "pictures" / "simulated-city.png"
WIDTHS = {"arterial": 2.0, "collector": 1.1, "local": 0.5}
HOURS, TRUCKS = 8, 60


def draw(path: Path) -> None:
    city, roads = load_city(DEMO_CITY), read_roads(DEMO_CITY)
    assert roads is not None
    terrain = Terrain(city, roads)
    _, axes = plt.subplots(1, 2, figsize=(17, 7.2), layout="constrained")
    for ax in axes:
        _draw_city(ax, terrain)
        ax.set_aspect("equal")
        ax.set_axis_off()
    axes[0].set_title("roads by rank, high houses, tunnels, zones, sites", fontsize=10)
    places = _reported(city, roads, terrain)
    axes[1].plot(*places, ",", color="tab:blue", alpha=0.5, zorder=4)
    axes[1].set_title(f"{TRUCKS} trucks in {HOURS} hours, as they report", fontsize=10)
    path.parent.mkdir(exist_ok=True)
    plt.savefig(path, dpi=70)


def _draw_city(ax: Axes, terrain: Terrain) -> None:
    for _, district in terrain.districts:
        ax.plot(*district.exterior.xy, color="#bbbbbb", linewidth=1)
    for road in terrain.roads.roads:
        ax.plot(*road.line.xy, color="#888888", linewidth=WIDTHS[road.kind], zorder=2)
    for shape in shapely.get_parts(terrain.built_up):
        ax.fill(*shape.exterior.xy, color="tab:orange", alpha=0.2, linewidth=0)
    for shape in shapely.get_parts(terrain.tunnels):
        ax.plot(*shape.exterior.xy, color="black", linewidth=3, zorder=3)
    for shape in shapely.get_parts(terrain.no_go):
        ax.fill(*shape.exterior.xy, color="tab:red", alpha=0.35, linewidth=0)
    for shape, _ in terrain.slow:
        ax.fill(*shape.exterior.xy, color="gold", alpha=0.6, linewidth=0)
    for ground in terrain.sites.values():
        ax.fill(*ground.reach.exterior.xy, color=SITE_COLOURS[ground.site.kind], zorder=3)


def _reported(city: City, roads: RoadMap, terrain: Terrain) -> np.ndarray:
    """East and north, metres."""
    start_ms = file_start_ms(city)
    fleet = Fleet(city, trucks=TRUCKS, seed=1, start_ms=start_ms, share=0.1, roads=roads)
    places = []
    for event in fleet.events():
        if isinstance(event, Label):
            continue
        if event.time_ms > start_ms + HOURS * HOUR_MS:
            break
        places.append((event.lon, event.lat))
    return shapely.get_coordinates(terrain.in_metres(shapely.MultiPoint(places))).T


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT)
