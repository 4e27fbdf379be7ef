# Where people ask: a workgroup with its own place for results, a database of their own for experiments, a saved query.

resource "aws_athena_workgroup" "analysts" {
  name          = "${var.name}-analysts"
  description   = "Questions about heart beats."
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_bytes_max

    result_configuration {
      output_location = "s3://${aws_s3_bucket.results.bucket}/analysts/"
    }
  }

  tags = {
    stage = var.stage
  }
}

resource "aws_athena_database" "sandbox" {
  name          = "${replace(var.name, "-", "_")}_sandbox"
  bucket        = aws_s3_bucket.results.bucket
  comment       = "Tables of experiments."
  force_destroy = true
}

resource "aws_athena_named_query" "mean" {
  name        = "${var.name}-mean"
  description = "The mean rate of each device."
  workgroup   = aws_athena_workgroup.analysts.name
  database    = aws_glue_catalog_database.iot.name
  query       = var.named_query_sql
}
