//! AWS's own managed policies that pipelines use: `arn:aws:iam::aws:policy/…`.
//!
//! Names, paths, descriptions and documents follow AWS's reference; its ids, dates and version numbers are AWS's business, so every
//! policy here is in its first version since the epoch.
//!
//! Source: <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>
//!
//! Differs from AWS: of some twelve hundred policies, these are here; ReadOnlyAccess and the console policies name the services
//! that are here, where AWS's name all.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::Document;

/// One of AWS's managed policies.
#[derive(Debug)]
pub(crate) struct AwsPolicy {
    pub(crate) arn: String,
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) id: String,
    pub(crate) description: &'static str,
    pub(crate) text: &'static str,
    pub(crate) document: Arc<Document>,
}

/// All of them, by ARN.
#[derive(Debug)]
pub(crate) struct AwsManaged(BTreeMap<String, Arc<AwsPolicy>>);

macro_rules! table {
    ($($path:literal $name:literal $description:literal;)*) => {
        &[$(($path, $name, $description, include_str!(concat!("../aws-managed/", $name, ".json")))),*]
    };
}

/// Path, name, description, text.
const TABLE: &[(&str, &str, &str, &str)] = table! {
    "/" "AdministratorAccess" "Provides full access to AWS services and resources.";
    "/" "PowerUserAccess" "Provides full access to AWS services and resources, but does not allow management of Users and groups.";
    "/" "ReadOnlyAccess" "Provides read-only access to AWS services and resources.";
    "/" "IAMFullAccess" "Provides full access to IAM via the AWS Management Console.";
    "/" "IAMReadOnlyAccess" "Provides read only access to IAM via the AWS Management Console.";
    "/" "AmazonS3FullAccess" "Provides full access to all buckets via the AWS Management Console.";
    "/" "AmazonS3ReadOnlyAccess" "Provides read only access to all buckets via the AWS Management Console.";
    "/" "AmazonKinesisFullAccess" "Provides full access to all streams via the AWS Management Console.";
    "/" "AmazonKinesisReadOnlyAccess" "Provides read only access to all streams via the AWS Management Console.";
    "/" "AmazonKinesisFirehoseFullAccess" "Provides full access to all Amazon Kinesis Firehose Delivery Streams.";
    "/" "AmazonKinesisFirehoseReadOnlyAccess" "Provides read only access to all Amazon Kinesis Firehose Delivery Streams.";
    "/" "AmazonAthenaFullAccess" "Provide full access to Amazon Athena and scoped access to the dependencies needed to enable querying, writing results, and data management.";
    "/" "AWSIoTFullAccess" "This policy gives full access to the AWS IoT configuration and messaging actions";
    "/" "AWSIoTDataAccess" "This policy gives full access to the AWS IoT messaging actions";
    "/" "AWSIoTConfigAccess" "This policy gives full access to the AWS IoT configuration actions";
    "/" "AWSIoTConfigReadOnlyAccess" "This policy gives read only access to the AWS IoT configuration actions";
    "/" "AWSGlueConsoleFullAccess" "Provides full access to AWS Glue via the AWS Management Console";
    "/" "AWSLambda_FullAccess" "Grants full access to AWS Lambda service, AWS Lambda console features, and other related AWS services.";
    "/" "AWSLambda_ReadOnlyAccess" "Grants read-only access to AWS Lambda service, AWS Lambda console features, and other related AWS services.";
    "/" "CloudWatchFullAccess" "Provides full access to CloudWatch.";
    "/" "CloudWatchReadOnlyAccess" "Provides read only access to CloudWatch.";
    "/" "CloudWatchLogsFullAccess" "Provides full access to CloudWatch Logs";
    "/" "CloudWatchLogsReadOnlyAccess" "Provides read only access to CloudWatch Logs";
    "/" "AmazonSQSFullAccess" "Provides full access to Amazon SQS via the AWS Management Console.";
    "/" "AmazonSNSFullAccess" "Provides full access to Amazon SNS via the AWS Management Console.";
    "/" "AmazonDynamoDBReadOnlyAccess" "Provides read only access to Amazon DynamoDB via the AWS Management Console.";
    "/service-role/" "AWSLambdaBasicExecutionRole" "Provides write permissions to CloudWatch Logs.";
    "/service-role/" "AWSLambdaKinesisExecutionRole" "Provides list and read access to Kinesis streams and write permissions to CloudWatch Logs.";
    "/service-role/" "AWSLambdaSQSQueueExecutionRole" "Provides receive message, delete message, and read attribute access to SQS queues, and write permissions to CloudWatch logs.";
    "/service-role/" "AWSLambdaDynamoDBExecutionRole" "Provides list and read access to DynamoDB streams and write permissions to CloudWatch logs.";
    "/service-role/" "AWSLambdaVPCAccessExecutionRole" "Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC - create, describe, delete network interfaces and write permissions to CloudWatch Logs.";
    "/service-role/" "AWSLambdaRole" "Default policy for AWS Lambda service role.";
    "/service-role/" "AWSGlueServiceRole" "Policy for AWS Glue service role which allows access to related services including EC2, S3, and Cloudwatch Logs";
    "/service-role/" "AWSIoTLogging" "Allows creation of Amazon CloudWatch Log groups and streaming logs to the groups";
    "/service-role/" "AWSIoTRuleActions" "Allows access to all AWS services supported in AWS IoT Rule Actions";
    "/service-role/" "AWSIoTThingsRegistration" "This policy allows users to register things at bulk using AWS IoT StartThingRegistrationTask API";
    "/service-role/" "AWSQuicksightAthenaAccess" "Quicksight access to Athena API and S3 buckets used for Athena query results";
};

impl AwsManaged {
    pub(crate) fn new() -> Self {
        let policy = |(number, (path, name, description, text)): (
            usize,
            &(&'static str, &'static str, &'static str, &'static str),
        )| {
            let arn = format!("arn:aws:iam::aws:policy{path}{name}");
            let document = Document::parse(text).expect("a test parses all of them");
            let policy = AwsPolicy {
                arn: arn.clone(),
                name,
                path,
                id: format!("ANPA{number:A>17}"),
                description,
                text,
                document: Arc::new(document),
            };
            (arn, Arc::new(policy))
        };
        Self(TABLE.iter().enumerate().map(policy).collect())
    }

    pub(crate) fn get(&self, arn: &str) -> Option<&Arc<AwsPolicy>> {
        self.0.get(arn)
    }

    /// In the order of their ARNs.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<AwsPolicy>> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_an_identity_policy() {
        let all = AwsManaged::new();
        assert_eq!(all.all().count(), TABLE.len());
        for policy in all.all() {
            if let Err(error) = Document::parse_identity(policy.text, 10_000) {
                panic!("{}: {error}", policy.name);
            }
        }
    }
}
