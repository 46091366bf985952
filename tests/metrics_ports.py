"""Which setting has the port of each process' metrics, by the name that its service has in compose,
Kubernetes and Prometheus. For the tests that hold those to it."""

METRICS_PORTS = {
    "worker": "metrics_port",
    "archiver": "archive_metrics_port",
    "gateway": "gateway_metrics_port",
    "gateway809": "gateway809_metrics_port",
    "console": "console_metrics_port",
}
