FROM debian:12.9 AS stage_2
