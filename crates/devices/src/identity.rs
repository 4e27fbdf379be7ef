//! A device's identity: a thing, a certificate and a policy, made through the public API and kept in a file.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use client::{CallError, Client};
use http::Method;
use kernel::Secret;
use serde_json::{Value, json};

/// The policy all simulated devices share: each may connect as the thing its certificate belongs to, and publish what that thing measures.
const POLICY: &str = "headwater-devices";

/// A device's certificate and key.
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) certificate_pem: String,
    pub(crate) private_key_pem: Secret<String>,
}

/// Why a device has no identity.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The API refused or did not answer.
    #[error("cannot {action} for {user}")]
    Call {
        /// `create a thing`.
        action: &'static str,
        /// The device's user.
        user: String,
        /// The cause.
        #[source]
        source: CallError,
    },
    /// The identity cannot be kept.
    #[error("cannot keep the identity in {path}")]
    Keep {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// Creates the devices' policy if it is not there.
pub(crate) async fn ensure_policy(api: &Client) -> Result<(), ProvisionError> {
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "iot:Connect",
                "Resource": "arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}"
            },
            {
                "Effect": "Allow",
                "Action": "iot:Publish",
                "Resource": "arn:aws:iot:*:*:topic//health/${iot:Connection.Thing.ThingName}"
            }
        ]
    });
    let body = json!({"policyDocument": document.to_string()});
    let created = api.rest("iot", Method::POST, &format!("/policies/{POLICY}"), body.to_string()).await;
    match created {
        Err(error) if error.code() != "ResourceAlreadyExistsException" => Err(ProvisionError::Call {
            action: "create the policy",
            user: "all devices".to_owned(),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// The identity of a user's device: the one in the folder if the node still knows it, or else a new one.
pub(crate) async fn ensure(api: &Client, folder: &Path, user: &str) -> Result<Identity, ProvisionError> {
    let path = folder.join(format!("{user}.json"));
    if let Some((id, identity)) = load(&path, user) {
        let known = api.rest("iot", Method::GET, &format!("/certificates/{id}"), "").await;
        if known.is_ok() {
            return Ok(identity);
        }
    }
    let created = create(api, user).await?;
    save(&path, &created).map_err(|source| ProvisionError::Keep { path: path.clone(), source })?;
    let text =
        |pointer: &str| created.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Identity {
        user: user.to_owned(),
        certificate_pem: text("/certificatePem"),
        private_key_pem: Secret::new(text("/keyPair/PrivateKey")),
    })
}

async fn create(api: &Client, user: &str) -> Result<Value, ProvisionError> {
    let failed = |action| {
        let user = user.to_owned();
        move |source| ProvisionError::Call { action, user, source }
    };
    api.rest("iot", Method::POST, &format!("/things/{user}"), "{}")
        .await
        .map_err(failed("create a thing"))?;
    let certificate = api
        .rest("iot", Method::POST, "/keys-and-certificate?setAsActive=true", "")
        .await
        .map_err(failed("create a certificate"))?;
    let arn = certificate["certificateArn"].as_str().unwrap_or_default();
    api.rest("iot", Method::PUT, &format!("/target-policies/{POLICY}"), json!({"target": arn}).to_string())
        .await
        .map_err(failed("attach the policy"))?;
    let path = format!("/things/{user}/principals");
    let answer = api
        .send("iot", Method::PUT, &path, &[("x-amzn-principal", arn)], bytes::Bytes::new())
        .await
        .map_err(failed("attach the certificate"))?;
    if !answer.status.is_success() {
        let source = CallError::Service {
            status: answer.status.as_u16(),
            code: "Unknown".to_owned(),
            message: answer.json()["message"].as_str().unwrap_or_default().to_owned(),
        };
        return Err(failed("attach the certificate")(source));
    }
    Ok(certificate)
}

fn load(path: &Path, user: &str) -> Option<(String, Identity)> {
    let kept: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let text = |pointer: &str| kept.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let identity = Identity {
        user: user.to_owned(),
        certificate_pem: text("/certificatePem")?,
        private_key_pem: Secret::new(text("/keyPair/PrivateKey")?),
    };
    Some((text("/certificateId")?, identity))
}

/// Only the owner may read it: it holds a private key.
fn save(path: &Path, created: &Value) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(created.to_string().as_bytes())
}
