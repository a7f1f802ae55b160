# The command `belvo-async` as a service: `serve`, `ui`, `sync`, or any other. Keys come in at run time, none is in here.
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/belvo-async \
    && /opt/belvo-async/bin/pip install --no-cache-dir '/source[cli,excel,parquet,postgres,redis,uvloop]'

FROM python:3.13-slim
COPY --from=build /opt/belvo-async /opt/belvo-async
RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin belvo \
    && install -d -o belvo -g belvo -m 0700 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV PATH=/opt/belvo-async/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    BELVO_ASYNC_STORE=sqlite:/data/jobs.db
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["belvo-async"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
