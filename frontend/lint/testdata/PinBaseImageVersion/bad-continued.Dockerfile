FROM \
  # the base
  --platform=linux/amd64 \
  debian \
  AS base
# want: 4
