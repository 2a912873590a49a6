//! Profiles: the two files of the AWS programs, `credentials` and `config`.
//!
//! Both are lines `name = value` below `[SECTION]`. In `config` a section is `[profile NAME]`, except for
//! `[default]`. Where both files have a value, that of `credentials` counts. Nested lines, which begin
//! with white space, belong to settings that are not read here.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::{fmt, fs};

use super::{Keys, StoreEnvironment, half};
use crate::error::{Error, Kind, Result};

/// Longer files are not read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What the files say of one profile.
#[derive(Clone, Default)]
pub(in crate::store) struct Profile {
    name: String,
    values: BTreeMap<String, String>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Profile {
    pub(in crate::store) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn keys(&self) -> Result<Option<Keys>> {
        let named = |error: Error| error.context(format!("profile {}", self.name));
        match (
            self.get("aws_access_key_id"),
            self.get("aws_secret_access_key"),
        ) {
            (Some(access_key), Some(secret_key)) => Ok(Some(Keys {
                access_key: access_key.to_owned(),
                secret_key: secret_key.to_owned(),
                session_token: self.get("aws_session_token").map(str::to_owned),
                expires: None,
            })),
            (Some(_), None) => Err(named(half("aws_access_key_id", "aws_secret_access_key"))),
            (None, Some(_)) => Err(named(half("aws_secret_access_key", "aws_access_key_id"))),
            (None, None) if self.get("web_identity_token_file").is_some() => Ok(None),
            (None, None) => {
                let unread = [
                    "credential_process",
                    "sso_session",
                    "sso_start_url",
                    "role_arn",
                ];
                match unread.into_iter().find(|name| self.get(name).is_some()) {
                    None => Ok(None),
                    Some(name) => {
                        let text = format!("{name} is not supported");
                        Err(named(Error::new(Kind::Auth, text)).hint(
                            "export keys first: eval \"$(aws configure export-credentials --format env)\"",
                        ))
                    }
                }
            }
        }
    }

    /// The file of a token and the role that it stands for.
    pub(super) fn web_identity(&self) -> Option<(&str, &str)> {
        Some((self.get("web_identity_token_file")?, self.get("role_arn")?))
    }
}

/// Reads what the files say of the profile that the environment names.
///
/// # Errors
/// A file is there and cannot be read; the profile was named and no file has it.
pub(in crate::store) fn read_profile(environment: &StoreEnvironment) -> Result<Profile> {
    let named = environment
        .get("AWS_PROFILE")
        .or_else(|| environment.get("AWS_DEFAULT_PROFILE"));
    let name = named.unwrap_or("default");
    let mut profile = Profile {
        name: name.to_owned(),
        values: BTreeMap::new(),
    };
    let files = [
        ("AWS_CONFIG_FILE", ".aws/config", true),
        ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", false),
    ];
    let mut found = false;
    for (variable, default, is_config) in files {
        let Some(file) = environment.file(variable, default) else {
            continue;
        };
        let Some(text) = read_file(&file)? else {
            continue;
        };
        let section = match is_config && name != "default" {
            true => format!("profile {name}"),
            false => name.to_owned(),
        };
        if let Some(values) = parse_section(&text, &section) {
            found = true;
            profile.values.extend(values);
        }
    }
    if named.is_some() && !found {
        return Err(Error::new(
            Kind::Auth,
            format!("profile {name}: no such profile in ~/.aws/config or ~/.aws/credentials"),
        ));
    }
    Ok(profile)
}

fn read_file(file: &Path) -> Result<Option<String>> {
    let read = fs::metadata(file).and_then(|found| match found.len() > MAX_FILE_BYTES {
        true => Err(std::io::Error::other("file too large")),
        false => fs::read_to_string(file),
    });
    match read {
        Ok(text) => Ok(Some(text)),
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(cause) => Err(Error::io("cannot read", file, cause)),
    }
}

/// The values of a section; `None` if there is no such section.
fn parse_section(text: &str, wanted: &str) -> Option<BTreeMap<String, String>> {
    let mut values = None;
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with(['#', ';']) || line.trim().is_empty() {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            let name = section.split(']').next().unwrap_or_default();
            inside = name.split_whitespace().eq(wanted.split_whitespace());
            if inside {
                values.get_or_insert_with(BTreeMap::new);
            }
        } else if inside
            && !line.starts_with(char::is_whitespace)
            && let Some((name, value)) = line.split_once('=')
            && let Some(values) = &mut values
        {
            // A comment begins behind white space.
            let value = value.split(" #").next().unwrap_or_default();
            values.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read() {
        let text = "# c\n[default]\nregion = eu-west-1 # here\ns3 =\n  region = nested\n\n\
                    [profile ci]\nAWS_Access_Key_ID=A\naws_secret_access_key = b/+=\n[other]\nregion=x\n";
        let of = |name: &str| parse_section(text, name);
        assert_eq!(of("default").unwrap()["region"], "eu-west-1");
        let ci = of("profile  ci").unwrap();
        assert_eq!(ci["aws_access_key_id"], "A");
        assert_eq!(ci["aws_secret_access_key"], "b/+=");
        assert_eq!(of("ci"), None);
    }
}
