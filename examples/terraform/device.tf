# One device: its thing, its certificate, and what the certificate may do.

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

data "aws_iot_endpoint" "data" {
  endpoint_type = "iot:Data-ATS"
}

locals {
  iot = "arn:aws:iot:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
}

resource "aws_iot_thing" "monitor" {
  name = "${var.name}-monitor"

  attributes = {
    stage = var.stage
  }
}

resource "aws_iot_certificate" "monitor" {
  active = true
}

resource "aws_iot_policy" "device" {
  name = "${var.name}-device"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "iot:Connect"
        Resource = "${local.iot}:client/$${iot:Connection.Thing.ThingName}"
      },
      {
        Effect   = "Allow"
        Action   = "iot:Publish"
        Resource = "${local.iot}:topic/dt/heart/$${iot:Connection.Thing.ThingName}"
      },
    ]
  })

  tags = {
    stage = var.stage
  }
}

resource "aws_iot_policy_attachment" "monitor" {
  policy = aws_iot_policy.device.name
  target = aws_iot_certificate.monitor.arn
}

resource "aws_iot_thing_principal_attachment" "monitor" {
  thing     = aws_iot_thing.monitor.name
  principal = aws_iot_certificate.monitor.arn
}
