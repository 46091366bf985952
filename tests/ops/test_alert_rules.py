"""Alerts: each tells two languages what is wrong and where help is, and is tried both ways."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from metrics_ports import METRICS_PORTS
from ops_parts import (
    PROMETHEUS,
    RULE_FILES,
    RUNBOOK,
    TEST_FILES,
    Alert,
    alerts,
    pieces,
    recorded,
    rule_tests,
)
from servers.programs import MissingProgramError, find

from mucktrack.settings import SETTINGS

ALERTS = alerts()
CHINESE = re.compile(r"[一-鿿]")
NAMED = re.compile(r'alertname(=~?)"([^"]+)"')


@pytest.fixture(scope="session")
def promtool() -> str:
    try:
        return find("promtool", "checking the alerts")
    except MissingProgramError as missing:
        pytest.skip(str(missing))


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_what_is_wrong_and_where_help_is(alert: Alert) -> None:
    assert alert.severity in ("critical", "warning")
    assert alert.annotations.keys() == {"summary", "summary_zh", "runbook_url"}
    assert not CHINESE.search(alert.annotations["summary"])
    assert CHINESE.search(alert.annotations["summary_zh"])
    page, _, anchor = alert.annotations["runbook_url"].partition("#")
    assert page == "docs/runbook.md"
    assert anchor == alert.name.lower()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_the_runbook_says_what_it_means_how_to_see_it_and_what_to_do(alert: Alert) -> None:
    sections = re.split(r"^### ", RUNBOOK.read_text(), flags=re.MULTILINE)[1:]
    (section,) = [one for one in sections if one.splitlines()[0] == alert.name]
    for part in ("**Means.**", "**See.**", "**Do.**", "**中文。**"):
        assert section.count(part) == 1, part
    assert alert.severity in section.splitlines()[2]


def test_the_runbook_has_no_section_of_an_alert_that_is_none() -> None:
    headings = re.findall(r"^### (Mucktrack\w+)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    assert sorted(headings) == sorted(alert.name for alert in ALERTS)


def tried() -> dict[str, set[str]]:
    """By alert, whether tests of promtool expect it to fire, and to be silent."""
    outcomes: dict[str, set[str]] = {alert.name: set() for alert in ALERTS}
    for test in rule_tests():
        for one in test["promql_expr_test"]:
            for operator, pattern in NAMED.findall(one["expr"]):
                names = (
                    [n for n in outcomes if re.fullmatch(pattern, n)]
                    if operator == "=~"
                    else [pattern]
                )
                outcome = "fires" if one["exp_samples"] else "silent"
                assert outcome == "silent" or 'alertstate="firing"' in one["expr"]
                for name in names:
                    outcomes[name].add(outcome)
    return outcomes


def test_each_alert_is_tried_firing_and_silent() -> None:
    assert tried() == {alert.name: {"fires", "silent"} for alert in ALERTS}


def test_names_are_unique() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
    assert all(name.count(":") == 2 for name in recorded())


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_alerts_fire_and_are_silent(promtool: str, file: Path) -> None:
    run(promtool, "test", "rules", str(file))


def test_rules_and_configurations_are_whole(promtool: str) -> None:
    run(promtool, "check", "rules", *map(str, RULE_FILES))
    run(promtool, "check", "config", str(PROMETHEUS / "prometheus.yml"))
    run(promtool, "check", "config", str(PROMETHEUS / "prometheus-up.yml"))


def test_services_are_scraped_where_they_are() -> None:
    """By the names of the services, on the ports of the settings."""
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    found = {
        job["job_name"]: (job["dns_sd_configs"][0]["names"], job["dns_sd_configs"][0]["port"])
        for job in jobs
        if "dns_sd_configs" in job
    }
    assert found == {
        **{job: ([job], SETTINGS[name].default) for job, name in METRICS_PORTS.items()},
        "grafana": (["grafana"], 3000),
    }


def test_an_expression_is_taken_apart_at_its_comparisons() -> None:
    assert pieces('absent(up{job="worker"} == 1)') == ['up{job="worker"}']
    assert pieces('a{b=~"x|y"} > 0.5\nand on (i) sum(c > 0) < 2 * d unless e') == [
        'a{b=~"x|y"}',
        "sum(c > 0)",
        "2 * d",
        "e",
    ]
