//! Word to the service manager: ready, reloading, stopping.
//!
//! Source: sd_notify(3).

use crate::system::send_datagram;

/// Where the service manager listens, from `NOTIFY_SOCKET`; nothing is said without.
#[derive(Clone, Debug, Default)]
pub struct ServiceManager(Option<String>);

impl ServiceManager {
    /// The manager behind this address.
    #[must_use]
    pub fn at(address: Option<&str>) -> ServiceManager {
        ServiceManager(
            address
                .filter(|address| !address.is_empty())
                .map(str::to_owned),
        )
    }

    /// Says it, best effort: a manager that does not listen must not stop a server.
    pub fn say(&self, state: &str) {
        let Some(address) = &self.0 else {
            return;
        };
        let _ = send_datagram(address, state.as_bytes());
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    #[test]
    fn what_is_said_arrives() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("notify");
        let manager = UnixDatagram::bind(&place).unwrap();
        ServiceManager::at(place.to_str()).say("READY=1");
        let mut room = [0; 64];
        let count = manager.recv(&mut room).unwrap();
        assert_eq!(&room[..count], b"READY=1");
        ServiceManager::at(None).say("READY=1");
        ServiceManager::at(Some("/nowhere")).say("READY=1");
    }
}
