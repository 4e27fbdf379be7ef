output "iot_endpoint" {
  description = "Where devices connect."
  value       = data.aws_iot_endpoint.data.endpoint_address
}

output "topic" {
  description = "Where the device may publish."
  value       = "dt/heart/${aws_iot_thing.monitor.name}"
}

output "client_id" {
  description = "As what the device may connect."
  value       = aws_iot_thing.monitor.name
}

output "certificate_pem" {
  description = "The device's certificate."
  value       = aws_iot_certificate.monitor.certificate_pem
  sensitive   = true
}

output "private_key" {
  description = "The device's key."
  value       = aws_iot_certificate.monitor.private_key
  sensitive   = true
}

output "workgroup" {
  description = "Where to query."
  value       = aws_athena_workgroup.analysts.name
}

output "database" {
  description = "What to query."
  value       = aws_glue_catalog_database.iot.name
}
