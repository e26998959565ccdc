# The playground as a web page, from a fresh checkout; the steps are the Makefile's.
#   docker build -t dreamkit .
#   docker run --rm -p 8866:8866 dreamkit     (the address it prints contains the token)
FROM python:3.12-slim

RUN apt-get update && apt-get install -y --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* && useradd --create-home learner

WORKDIR /home/learner/dreamkit
RUN chown learner /home/learner/dreamkit
USER learner

COPY --chown=learner . .
RUN make .venv/.ready

EXPOSE 8866
CMD ["make", "app", "HOST=0.0.0.0"]
