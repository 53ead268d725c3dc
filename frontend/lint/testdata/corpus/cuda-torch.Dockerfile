ARG CUDA=12.4.1
FROM nvidia/cuda:${CUDA}-cudnn-runtime-ubuntu22.04

ARG DEBIAN_FRONTEND=noninteractive
ENV PIP_NO_CACHE_DIR=1

RUN apt-get update && apt-get install -y --no-install-recommends \
        git \
        libgl1 \
        python3-pip \
        python3-venv \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/*

RUN useradd -m -u 1000 app
USER app
WORKDIR /home/app

RUN python3 -m venv .venv
ENV PATH="/home/app/.venv/bin:$PATH"
COPY --chown=app requirements.txt .
RUN pip install -r requirements.txt \
    && pip install torch==2.5.1 torchvision==0.20.1 --index-url https://download.pytorch.org/whl/cu124
COPY --chown=app serve.py ./
EXPOSE 8501
CMD ["python", "serve.py"]
