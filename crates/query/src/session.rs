//! The one place where a DataFusion session is set up: options, functions, planner, memory.
//!
//! Whoever runs a plan, here or on another machine, builds its session with [`session_builder`].

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::config::SessionConfig;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionStateBuilder, SessionStateDefaults};

use crate::Config;
use crate::catalog::CATALOG;
use crate::cooperation::GiveWay;
use crate::functions;
use crate::limits::BATCH_ROWS;
use crate::planner::TrinoPlanner;
use crate::unnest::LateralUnnest;

/// What all queries share: the memory they may use. Nothing is written to disk.
pub(crate) fn runtime_env(config: &Config) -> Arc<RuntimeEnv> {
    let consumers = NonZeroUsize::new(5).expect("five is not zero");
    let pool = TrackConsumersPool::new(FairSpillPool::new(config.memory_bytes_max), consumers);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()
        .expect("only a disk can fail, and none is used")
}

/// A session in which SQL means what it means to Athena.
pub(crate) fn session_builder(
    config: &Config,
    runtime_env: Arc<RuntimeEnv>,
    default_database: &str,
) -> SessionStateBuilder {
    let mut session = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, default_database)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(config.threads)
        .with_batch_size(BATCH_ROWS)
        .with_round_robin_repartition(false);
    let options = session.options_mut();
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.default_null_ordering = "nulls_last".to_owned();
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.time_zone = Some(crate::types::UTC.to_owned());
    let mut planners = SessionStateDefaults::default_expr_planners();
    planners.insert(0, Arc::new(TrinoPlanner));
    let builder = SessionStateBuilder::new()
        .with_config(session)
        .with_runtime_env(runtime_env)
        .with_analyzer_rule(Arc::new(LateralUnnest))
        .with_physical_optimizer_rule(Arc::new(GiveWay))
        .with_expr_planners(planners);
    functions::register(builder)
}
