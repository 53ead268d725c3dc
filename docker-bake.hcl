# The frontend image. "make image" calls this; CI pushes image-all.

variable "IMAGE" {
  default     = "org/slimfile"
  description = "References to tag, separated by commas."
}

group "default" {
  targets = ["image"]
}

target "image" {
  description = "For the builder's own platform."
  tags        = split(",", IMAGE)
}

target "image-all" {
  description = "For every platform, with provenance and SBOM."
  inherits    = ["image"]
  platforms   = ["linux/amd64", "linux/arm64"]
  attest      = ["type=provenance,mode=max", "type=sbom"]
}
