# Credentials and region come from the environment, which `headwater env` prints. So does the endpoint, unless it is given
# as a variable; without either this project builds the same pipeline on AWS.

provider "aws" {
  s3_use_path_style       = true
  skip_metadata_api_check = true

  endpoints {
    athena   = var.endpoint
    firehose = var.endpoint
    glue     = var.endpoint
    iam      = var.endpoint
    iot      = var.endpoint
    s3       = var.endpoint
    sts      = var.endpoint
  }

  default_tags {
    tags = {
      project = var.name
    }
  }
}
