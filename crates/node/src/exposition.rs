//! The node's metrics as text: Prometheus's format, and OpenMetrics, which names counters by what they count.

use std::fmt::{Display, Write};

use http::HeaderValue;
use kernel::Metrics;
use kernel::metrics::{Metric, Observed, Sample};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Prometheus,
    OpenMetrics,
}

impl Format {
    /// What an `Accept` header asks for.
    pub(crate) fn of(accept: Option<&HeaderValue>) -> Self {
        let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Every metric that has been counted.
pub(crate) fn render(metrics: &Metrics, format: Format) -> String {
    let mut text = Text { out: String::new(), format, family: "" };
    for sample in metrics.counters() {
        text.family(sample.metric, "counter");
        text.sample(&sample);
    }
    for sample in metrics.gauges() {
        text.family(sample.metric, "gauge");
        text.sample(&sample);
    }
    for observed in metrics.histograms() {
        text.family(observed.metric, "histogram");
        text.histogram(&observed);
    }
    if format == Format::OpenMetrics {
        text.out.push_str("# EOF\n");
    }
    text.out
}

struct Text {
    out: String,
    format: Format,
    /// The metric whose samples are being written.
    family: &'static str,
}

impl Text {
    /// Says what a metric is before the first of its samples.
    fn family(&mut self, metric: &'static Metric, kind: &'static str) {
        if std::mem::replace(&mut self.family, metric.name) == metric.name {
            return;
        }
        let total = metric.name.strip_suffix("_total");
        let (name, kind) = match (self.format, kind, total) {
            (Format::OpenMetrics, "counter", Some(name)) => (name, kind),
            // Where a counter must end in `_total` one that does not is of no kind.
            (Format::OpenMetrics, "counter", None) => (metric.name, "unknown"),
            _ => (metric.name, kind),
        };
        let help = escape(metric.help, self.format == Format::OpenMetrics);
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.out, "{line}").expect("a String takes everything");
    }

    fn sample(&mut self, sample: &Sample) {
        let labels = labels(sample.metric, &sample.labels, None);
        self.line(format_args!("{}{labels} {}", sample.metric.name, sample.value));
    }

    fn histogram(&mut self, observed: &Observed) {
        let (name, count) = (observed.metric.name, observed.distribution.count());
        let with = |bound: &dyn Display| labels(observed.metric, &observed.labels, Some(bound.to_string()));
        for (bound, within) in observed.distribution.cumulative() {
            self.line(format_args!("{name}_bucket{} {within}", with(&format_args!("{bound}.0"))));
        }
        self.line(format_args!("{name}_bucket{} {count}", with(&"+Inf")));
        let labels = labels(observed.metric, &observed.labels, None);
        self.line(format_args!("{name}_sum{labels} {}", observed.distribution.sum));
        self.line(format_args!("{name}_count{labels} {count}"));
    }
}

fn labels(metric: &Metric, values: &[String], bound: Option<String>) -> String {
    let own = metric.labels.iter().copied().zip(values.iter().map(|value| escape(value, true)));
    let pairs = own.chain(bound.map(|bound| ("le", bound)));
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

/// Text with backslashes and line ends escaped, and quotation marks where they end it.
fn escape(text: &str, quoted: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quoted => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    static REQUESTS: Metric =
        Metric { name: "requests_total", help: "Requests \"so far\".", labels: &["rule", "result"] };
    static WAITING: Metric = Metric { name: "waiting", help: "Waiting\nnow.", labels: &[] };
    static TOOK: Metric = Metric { name: "took_micros", help: "Microseconds.", labels: &["rule"] };

    fn metrics() -> Metrics {
        let metrics = Metrics::default();
        metrics.counter(&REQUESTS, &["a\"b\\c\nd", "ok"]).add(2);
        metrics.counter(&REQUESTS, &["é", "ok"]).add(1);
        metrics.gauge(&WAITING, &[]).set(-3);
        metrics.histogram(&TOOK, &["r"]).record(5);
        metrics
    }

    #[test]
    fn every_kind_has_its_form_and_labels_are_escaped() {
        let text = render(&metrics(), Format::Prometheus);
        let head = "# HELP requests_total Requests \"so far\".\n# TYPE requests_total counter\n\
                    requests_total{rule=\"a\\\"b\\\\c\\nd\",result=\"ok\"} 2\nrequests_total{rule=\"é\",result=\"ok\"} 1\n\
                    # HELP waiting Waiting\\nnow.\n# TYPE waiting gauge\nwaiting -3\n\
                    # HELP took_micros Microseconds.\n# TYPE took_micros histogram\n\
                    took_micros_bucket{rule=\"r\",le=\"0.0\"} 0\n";
        assert!(text.starts_with(head), "{text}");
        let tail = "took_micros_bucket{rule=\"r\",le=\"+Inf\"} 1\ntook_micros_sum{rule=\"r\"} 5\n\
                    took_micros_count{rule=\"r\"} 1\n";
        assert!(text.ends_with(tail), "{text}");
        assert!(text.contains("took_micros_bucket{rule=\"r\",le=\"3.0\"} 0\n"));
        assert!(text.contains("took_micros_bucket{rule=\"r\",le=\"7.0\"} 1\n"));
    }

    #[test]
    fn open_metrics_names_counters_without_their_suffix_and_ends() {
        let text = render(&metrics(), Format::OpenMetrics);
        assert!(text.contains("# TYPE requests counter\nrequests_total{"), "{text}");
        assert!(text.contains("# HELP requests Requests \\\"so far\\\".\n"), "{text}");
        assert!(text.ends_with("\n# EOF\n"), "{text}");
        let accept = HeaderValue::from_static("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
        assert_eq!(Format::of(Some(&accept)), Format::OpenMetrics);
        assert_eq!(Format::of(None), Format::Prometheus);
    }
}
