//! Every script in `flows/`. A new one needs no compiler; `UPDATE=1` writes what is said in place of what was expected.

use std::path::Path;

use testkit::flow;

use crate::lake;

#[tokio::test]
async fn every_flow_goes_as_it_is_written() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows");
    let entries = std::fs::read_dir(&directory).expect("the scripts are there");
    let mut scripts: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|extension| extension == "flow"));
    scripts.sort();
    assert!(!scripts.is_empty());
    for script in scripts {
        flow::run(&script, lake::setup()).await;
    }
}
