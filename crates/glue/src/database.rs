//! Databases.

use std::collections::BTreeMap;

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::Entity;

use crate::input::{DatabaseInput, Raw, pairs, text_map};

/// A database. Key: account, region, name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Database {
    /// As the client gave it, but for the name in lower case.
    pub(crate) input: Raw<DatabaseInput>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_at: Timestamp,
}

impl Entity for Database {
    const TABLE: &'static str = "glue_database";
    const VERSION: u8 = 1;
}

/// The database that is always there.
pub(crate) const DEFAULT: &str = "default";

impl Database {
    /// The database `default` of a catalog that has not changed it.
    pub(crate) fn default_database() -> Self {
        let members = Map::from_iter([("Name".to_owned(), DEFAULT.into())]);
        Self {
            input: Raw::new(members).expect("a name is all a database needs"),
            tags: BTreeMap::new(),
            created_at: Timestamp::EPOCH,
        }
    }

    pub(crate) fn from_port(database: &ports::Database, created_at: Timestamp) -> Self {
        let mut members = Map::from_iter([("Name".to_owned(), Value::from(database.name.to_lowercase()))]);
        for (member, value) in [("Description", &database.description), ("LocationUri", &database.location)] {
            if let Some(value) = value {
                members.insert(member.to_owned(), value.as_str().into());
            }
        }
        members.insert("Parameters".to_owned(), text_map(&database.parameters));
        let input = Raw::new(members).expect("these are texts, as the model has them");
        Self { input, tags: BTreeMap::new(), created_at }
    }

    pub(crate) fn name(&self) -> String {
        self.input.read().name
    }

    pub(crate) fn to_port(&self) -> ports::Database {
        let read = self.input.read();
        ports::Database {
            name: read.name,
            description: read.description,
            location: read.location_uri,
            parameters: read.parameters.map(pairs).unwrap_or_default(),
        }
    }

    /// As operations answer it.
    pub(crate) fn shape(&self, cx: &Context) -> Value {
        let mut out = self.input.members().clone();
        out.insert("CreateTime".to_owned(), self.created_at.as_epoch_seconds().into());
        out.insert("CatalogId".to_owned(), cx.account.as_str().into());
        out.entry("CreateTableDefaultPermissions").or_insert_with(|| {
            json!([{"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}])
        });
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads() {
        let json = include_str!("../entities/glue_database/v1.json");
        let bytes = [b"\x01".as_slice(), json.as_bytes()].concat();
        let database: Database = store::entity::decode(&bytes).unwrap();
        assert_eq!(database.to_port().location.as_deref(), Some("s3://b/d/"));
        assert_eq!(database.tags["team"], "iot");
    }
}
