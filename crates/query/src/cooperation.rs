//! Queries share the engine's threads: an operator that makes many rows out of few lets others have their turn.
//!
//! DataFusion makes sources and exchanges give way, and trusts that every operator above waits for them. A join or UNNEST does not: it makes
//! millions of batches of what it has read already, and neither another query nor a cancellation would be seen before the last.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// Makes operators that multiply rows give way.
#[derive(Debug)]
pub(crate) struct GiveWay;

impl PhysicalOptimizerRule for GiveWay {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let wrapped = plan.transform_up(|plan| {
            if !multiplies(&*plan) {
                return Ok(Transformed::no(plan));
            }
            let gives_way: Arc<dyn ExecutionPlan> = Arc::new(CooperativeExec::new(plan));
            Ok(Transformed::yes(gives_way))
        });
        wrapped.map(|wrapped| wrapped.data)
    }

    fn name(&self) -> &str {
        "GiveWay"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Joins of every kind have two inputs.
fn multiplies(plan: &dyn ExecutionPlan) -> bool {
    plan.children().len() > 1 || plan.name() == "UnnestExec"
}
