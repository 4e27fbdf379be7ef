# The roles that the rule and the delivery streams act as, with what they need and no more. They serve this account's resources only:
# nobody else's stream can make Firehose act as one of them.

data "aws_iam_policy_document" "trust" {
  for_each = toset(["firehose", "iot"])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "rule" {
  name               = "${var.name}-rule"
  description        = "Puts messages into the delivery streams."
  assume_role_policy = data.aws_iam_policy_document.trust["iot"].json

  tags = {
    stage = var.stage
  }
}

data "aws_iam_policy_document" "rule" {
  statement {
    actions = ["firehose:PutRecord", "firehose:PutRecordBatch"]

    resources = [
      aws_kinesis_firehose_delivery_stream.beats.arn,
      aws_kinesis_firehose_delivery_stream.failed.arn,
    ]
  }
}

resource "aws_iam_role_policy" "rule" {
  name   = "put-records"
  role   = aws_iam_role.rule.name
  policy = data.aws_iam_policy_document.rule.json
}

resource "aws_iam_role" "delivery" {
  name               = "${var.name}-delivery"
  description        = "Writes records into the lake."
  assume_role_policy = data.aws_iam_policy_document.trust["firehose"].json

  tags = {
    stage = var.stage
  }
}

data "aws_iam_policy_document" "delivery" {
  statement {
    actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.lake.arn]
  }

  statement {
    actions   = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
    resources = ["${aws_s3_bucket.lake.arn}/*"]
  }
}

resource "aws_iam_policy" "delivery" {
  name        = "${var.name}-delivery"
  description = "Writing into the lake."
  policy      = data.aws_iam_policy_document.delivery.json

  tags = {
    stage = var.stage
  }
}

resource "aws_iam_role_policy_attachment" "delivery" {
  role       = aws_iam_role.delivery.name
  policy_arn = aws_iam_policy.delivery.arn
}
