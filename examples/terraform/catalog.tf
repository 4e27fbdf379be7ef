# The lake as a table: what is buffered and what is delivered are rows of it alike.

resource "aws_glue_catalog_database" "iot" {
  name         = replace(var.name, "-", "_")
  description  = "What devices report."
  location_uri = "s3://${aws_s3_bucket.lake.bucket}/"
}

resource "aws_glue_catalog_table" "beats" {
  name          = "beats"
  database_name = aws_glue_catalog_database.iot.name
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    EXTERNAL       = "TRUE"
    classification = "json"
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.lake.bucket}/beats/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
    }

    columns {
      name = "device"
      type = "string"
    }

    columns {
      name = "bpm"
      type = "int"
    }

    columns {
      name = "received"
      type = "bigint"
    }

    dynamic "columns" {
      for_each = var.extra_columns

      content {
        name = columns.key
        type = columns.value
      }
    }
  }
}
