variable "endpoint" {
  description = "Where the node answers, as http://127.0.0.1:4566. By default what AWS_ENDPOINT_URL says."
  type        = string
  default     = null
}

variable "name" {
  description = "What every resource is named after: lower-case letters, digits and hyphens."
  type        = string
  default     = "heartbeat"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.name))
    error_message = "A name has 3 to 41 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "stage" {
  description = "The tag `stage` of the buckets, the delivery stream and the workgroup."
  type        = string
  default     = "development"
}

variable "topic" {
  description = "The topic filter whose messages are kept."
  type        = string
  default     = "dt/heart/#"
}

variable "rule_sql" {
  description = "The rule's statement; by default everything of the topic filter, with the device's name and the time of arrival."
  type        = string
  default     = null
}

variable "buffer_seconds" {
  description = "How long records gather before they become an object."
  type        = number
  default     = 60
}

variable "scan_bytes_max" {
  description = "How many bytes a query may read before it is stopped."
  type        = number
  default     = 1099511627776
}

variable "extra_columns" {
  description = "More columns of the table, as name = type."
  type        = map(string)
  default     = {}
}

variable "named_query_sql" {
  description = "The saved query."
  type        = string
  default     = "SELECT device, avg(bpm) AS bpm FROM beats GROUP BY device ORDER BY device"
}
