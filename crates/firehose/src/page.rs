//! Reading an intake past what the disk has lost: a record that does not have its checksum any more is left out, so that it holds up
//! no other. It is counted and logged when the others are delivered.

use store::{LogError, Offset, Record};

use crate::registry::Stream;
use crate::service::Inner;

/// Consecutive records.
pub(crate) struct Page {
    /// How many before them cannot be read.
    pub(crate) damaged: u64,
    /// Empty at the end of the log.
    pub(crate) records: Vec<Record>,
}

impl Inner {
    /// What follows in a stream's intake from `from` on, as [`store::CommitLog::read`] has it, past what is damaged.
    pub(crate) async fn page(
        &self,
        stream: &Stream,
        from: Offset,
        bytes_max: usize,
    ) -> Result<Page, LogError> {
        let mut from = from;
        let mut damaged = 0;
        loop {
            match self.log.read(&stream.log, from, bytes_max).await {
                Err(LogError::Damaged { offset, .. }) => {
                    damaged += 1;
                    from = Offset(offset.0 + 1);
                }
                read => return Ok(Page { damaged, records: read? }),
            }
        }
    }
}
