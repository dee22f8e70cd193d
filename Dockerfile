# One image for every service of the scaled-out form; the command says which one (see docker-compose.yml).
#   docker build -t strata .
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv .venv \
 && .venv/bin/pip install --require-hashes -r requirements/build.txt -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY strata strata
COPY system_apis system_apis
COPY process_apis process_apis
COPY experience_apis experience_apis
COPY gateway gateway
COPY sandbox sandbox
COPY openapi openapi
# editable: the packages read their SQL, tables, pages and contracts from beside their code
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable . \
 && .venv/bin/python -m compileall -q strata system_apis process_apis experience_apis gateway sandbox

FROM python:3.11-slim
# nothing is written but /data and /tmp: run it with a read-only root file system
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    STRATA_HOST=0.0.0.0 STRATA_PORT=8080 STRATA_DATA_DIR=/data
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin strata \
 && install -d -o strata -g strata -m 0700 /data
COPY --from=build /app /app
WORKDIR /app
USER strata
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["strata"]
CMD ["serve", "gateway"]
