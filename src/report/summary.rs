//! What a run came to, for `--stats` and `-v`.

use std::time::Duration;

use super::count;
use super::json::JsonObject;

/// What went over the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficCounts {
    /// Bytes of bodies that were received, those of failed tries included.
    pub bytes: u64,
    /// Requests, each redirect and each further try counted.
    pub requests: u64,
    /// Further tries.
    pub retries: u64,
    /// Bytes that were kept of cut transfers and did not come again.
    pub resumed: u64,
}

/// A run in numbers.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// Modules the run was about.
    pub modules: usize,
    /// Those that are complete and of which something was fetched.
    pub fetched: usize,
    /// Those that were complete before.
    pub cached: usize,
    /// Bytes taken from read-only caches.
    pub ro_cache_bytes: u64,
    /// What that took of the network.
    pub traffic: TrafficCounts,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// One line for people.
    pub(super) fn text(&self) -> String {
        let TrafficCounts {
            bytes,
            requests,
            retries,
            resumed,
        } = self.traffic;
        let resumed = match resumed {
            0 => String::new(),
            bytes => format!(" {} resumed,", count::human(bytes)),
        };
        let retries = count::retries(retries).unwrap_or_else(|| "0 retries".to_owned());
        let ro_cache_bytes = match self.ro_cache_bytes {
            0 => String::new(),
            bytes => format!(" {} from read-only caches,", count::human(bytes)),
        };
        format!(
            "{} modules, {} fetched, {} from the cache; {} received,{ro_cache_bytes}{resumed} {requests} requests, {retries}, \
             {:.2} s",
            self.modules,
            self.fetched,
            self.cached,
            count::human(bytes),
            self.elapsed.as_secs_f64()
        )
    }

    /// The same as an event.
    pub(super) fn json(&self) -> JsonObject {
        let mut json = JsonObject::new();
        json.string("level", "info");
        json.string("message", &self.text());
        json.number("modules", self.modules as u64);
        json.number("fetched", self.fetched as u64);
        json.number("cached", self.cached as u64);
        json.number("bytes", self.traffic.bytes);
        json.number("ro_cache_bytes", self.ro_cache_bytes);
        json.number("resumed", self.traffic.resumed);
        json.number("requests", self.traffic.requests);
        json.number("retries", self.traffic.retries);
        let elapsed = self.elapsed.as_millis();
        json.number("elapsed_ms", u64::try_from(elapsed).unwrap_or(u64::MAX));
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_an_object_say_the_same() {
        let summary = Summary {
            modules: 9,
            fetched: 5,
            cached: 3,
            ro_cache_bytes: 2000,
            traffic: TrafficCounts {
                bytes: 12_345,
                requests: 17,
                retries: 2,
                resumed: 500,
            },
            elapsed: Duration::from_millis(1230),
        };
        let text = "9 modules, 5 fetched, 3 from the cache; 12.3 kB received, 2.00 kB from read-only caches, 500 B resumed, 17 requests, \
                    2 retries, 1.23 s";
        assert_eq!(summary.text(), text);
        let want = format!(
            "{{\"level\":\"info\",\"message\":\"{text}\",\"modules\":9,\"fetched\":5,\"cached\":3,\
             \"bytes\":12345,\"ro_cache_bytes\":2000,\"resumed\":500,\"requests\":17,\"retries\":2,\"elapsed_ms\":1230}}"
        );
        assert_eq!(summary.json().compact(), want);
    }
}
