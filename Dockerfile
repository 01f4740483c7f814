# The API alone: generation is Ollama's here, so nothing is compiled, and neither torch nor llama.cpp is in the image.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/archivar
WORKDIR /src
# The packages change seldom, our own code often: two layers
COPY constraints.txt pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > packages.txt \
    && /opt/archivar/bin/pip install --constraint constraints.txt --requirement packages.txt
COPY README.md archivar.py ./
COPY archive archive
COPY ingest ingest
COPY server server
COPY prompts prompts
COPY evaluation evaluation
COPY training training
RUN /opt/archivar/bin/pip install --no-deps .

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --create-home archivar \
    && install --directory --owner archivar --group archivar /data /models
COPY --from=build /opt/archivar /opt/archivar
ENV PATH=/opt/archivar/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ARCHIVAR_HOME=/data \
    ARCHIVAR_MODELS=/models
USER archivar
WORKDIR /home/archivar
VOLUME ["/data", "/models"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=12 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
ENTRYPOINT ["archivar"]
CMD ["serve"]
