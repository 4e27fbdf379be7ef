# From a message to an object: a rule, its delivery stream, and a stream for what the rule's action could not deliver.

resource "aws_iot_topic_rule" "beats" {
  name        = "${replace(var.name, "-", "_")}_beats"
  description = "Every heart beat goes to the lake."
  enabled     = true
  sql         = coalesce(var.rule_sql, "SELECT *, topic(3) AS device, timestamp() AS received FROM '${var.topic}'")
  sql_version = "2016-03-23"

  firehose {
    delivery_stream_name = aws_kinesis_firehose_delivery_stream.beats.name
    role_arn             = aws_iam_role.rule.arn
    separator            = "\n"
  }

  error_action {
    firehose {
      delivery_stream_name = aws_kinesis_firehose_delivery_stream.failed.name
      role_arn             = aws_iam_role.rule.arn
      separator            = "\n"
    }
  }

  tags = {
    stage = var.stage
  }
}

resource "aws_kinesis_firehose_delivery_stream" "beats" {
  name        = "${var.name}-beats"
  destination = "extended_s3"

  extended_s3_configuration {
    bucket_arn          = aws_s3_bucket.lake.arn
    role_arn            = aws_iam_role.delivery.arn
    prefix              = "beats/"
    error_output_prefix = "failed-delivery/"
    buffering_size      = 64
    buffering_interval  = var.buffer_seconds
    compression_format  = "GZIP"
  }

  tags = {
    stage = var.stage
  }

  depends_on = [aws_iam_role_policy_attachment.delivery]
}

resource "aws_kinesis_firehose_delivery_stream" "failed" {
  name        = "${var.name}-failed"
  destination = "extended_s3"

  extended_s3_configuration {
    bucket_arn         = aws_s3_bucket.lake.arn
    role_arn           = aws_iam_role.delivery.arn
    prefix             = "failed-actions/"
    buffering_size     = 5
    buffering_interval = var.buffer_seconds
  }

  depends_on = [aws_iam_role_policy_attachment.delivery]
}
