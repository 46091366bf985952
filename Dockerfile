# The image of all of mucktrack's processes: `docker build --tag mucktrack:0.1.0 .`
#
#   wheels     fetches what requirements-runtime.lock pins, by hash, and builds mucktrack's own wheel
#   installed  installs those into /opt/mucktrack without an index, and compiles the core
#   runtime    that folder on a bare Python: no compiler, no index, no root
#
# Without a network a bundle's wheels stand for the first stage (docs/offline.md):
# `docker build --build-context wheels=. --tag mucktrack:0.1.0 .`
FROM python:3.11.14-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore


FROM base AS wheels
WORKDIR /build
COPY requirements-build.lock ./
RUN python -m venv tools \
 && tools/bin/python -m pip install --require-hashes -r requirements-build.lock
COPY requirements-runtime.lock /wheels/
RUN python -m pip download --require-hashes --only-binary :all: --dest /wheels -r /wheels/requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY geofences geofences
COPY streams streams
COPY producers producers
COPY enforcement enforcement
COPY mucktrack mucktrack
RUN tools/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .


FROM base AS installed
COPY --from=wheels /wheels /wheels
RUN python -m venv /opt/mucktrack \
 && /opt/mucktrack/bin/python -m pip install --no-index --find-links /wheels --require-hashes -r /wheels/requirements-runtime.lock \
 && /opt/mucktrack/bin/python -m pip install --no-index --no-deps /wheels/mucktrack-*.whl \
 && /opt/mucktrack/bin/python -m pip uninstall --yes pip
# Compiled code is for the processor it was compiled on, unless it is for any of its kind: this image
# runs on others. The core is as fast either way (docs/deploy.md).
ENV NUMBA_CPU_NAME=generic \
    XDG_CACHE_HOME=/opt/mucktrack/cache
RUN /opt/mucktrack/bin/python -m mucktrack.warm


FROM base AS runtime
LABEL org.opencontainers.image.title="mucktrack" \
      org.opencontainers.image.description="Watches muck trucks and puts violations on the enforcement queue within a second" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
# A number, so that Kubernetes can see that it is not root. The folders are for volumes, which begin
# with their owner.
RUN groupadd --gid 10001 mucktrack \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mucktrack \
 && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/mucktrack /var/lib/mucktrack/archive
COPY --from=installed /opt/mucktrack /opt/mucktrack
ENV PATH=/opt/mucktrack/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CPU_NAME=generic \
    XDG_CACHE_HOME=/opt/mucktrack/cache \
    MUCKTRACK_STATE_DIR=/var/lib/mucktrack
WORKDIR /var/lib/mucktrack
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["mucktrack"]
CMD ["--help"]
