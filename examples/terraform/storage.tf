# The lake, where records become objects, and the place of query results.

resource "aws_s3_bucket" "lake" {
  bucket        = "${var.name}-lake"
  force_destroy = true

  tags = {
    stage = var.stage
  }
}

resource "aws_s3_bucket" "results" {
  bucket        = "${var.name}-results"
  force_destroy = true

  tags = {
    stage = var.stage
  }
}
