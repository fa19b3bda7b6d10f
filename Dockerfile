# The image of every process: web, intake, workers, beat, sender and the migration differ in their command alone.
#   docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" --tag images.example/platform:0.1.0 .
# Nothing in it may be changed by the user it runs as; what is written goes to /tmp, so the root may be read-only.

FROM node:24-slim AS pages
WORKDIR /pages
COPY package.json package-lock.json .npmrc ./
# What the pages are dressed in. No package needs a script of its own to be installed.
RUN npm ci --omit=dev --ignore-scripts


FROM python:3.11-slim AS packages
RUN python -m venv /opt/venv
COPY requirements/image.txt /tmp/image.txt
# Wheels only, each with its hash: nothing is compiled, so nothing has to be installed to compile it.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
    --requirement /tmp/image.txt


FROM python:3.11-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="WhatsApp BSP platform" \
      org.opencontainers.image.description="Serves Dutch municipalities on WhatsApp" \
      org.opencontainers.image.licenses="EUPL-1.2" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY --from=pages /pages/node_modules node_modules
COPY LICENSE manage.py ./
COPY whatsapp/ whatsapp/
COPY audit/ audit/
COPY tenants/ tenants/
COPY accounts/ accounts/
COPY billing/ billing/
COPY messaging/ messaging/
COPY api/ api/
COPY web/ web/
COPY config/ config/
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Kubernetes asks /healthz and /readyz itself, and the other components have no door.
HEALTHCHECK NONE
CMD ["uvicorn", "config.server:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--timeout-graceful-shutdown", "25"]
