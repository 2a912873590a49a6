//! The disk usage of a cache as a table or as JSON.

use crate::cache::{Inventory, Space, VersionRecord};
use crate::report::{JsonObject, human};

/// What the rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskUsageBy {
    /// What space is used for.
    #[default]
    Kind,
    /// Module paths, largest first.
    Module,
    /// Module versions, largest first.
    Version,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceRow {
    /// A kind, a module path or `PATH@VERSION`.
    pub name: String,
    /// Its space.
    pub space: Space,
    /// The projects that need it, where projects were named.
    pub needed_by: Vec<String>,
}

/// What is needed by one project, or by none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NeededSpace {
    /// The project; empty for what none of them needs.
    pub project: String,
    /// Versions.
    pub versions: u64,
    /// Their space.
    pub space: Space,
}

/// What `cache du` prints.
#[derive(Clone, Debug)]
pub struct DiskUsage<'i> {
    /// What was found.
    pub inventory: &'i Inventory,
    /// What the rows are.
    pub by: DiskUsageBy,
    /// The projects that a version is needed by, where projects were named.
    pub needs: Vec<NeededSpace>,
    /// The rows.
    pub rows: Vec<SpaceRow>,
}

impl<'i> DiskUsage<'i> {
    /// Adds up. `projects` are names, `needed_by` gives the places among them of those that need a
    /// version.
    #[must_use]
    pub fn new(
        inventory: &'i Inventory,
        by: DiskUsageBy,
        projects: &[String],
        needed_by: impl Fn(&VersionRecord) -> Vec<usize>,
    ) -> DiskUsage<'i> {
        let mut needs: Vec<NeededSpace> = projects
            .iter()
            .map(|project| NeededSpace {
                project: project.clone(),
                ..NeededSpace::default()
            })
            .collect();
        let mut unneeded = NeededSpace::default();
        let mut rows: Vec<SpaceRow> = Vec::new();
        if by == DiskUsageBy::Kind {
            rows.extend(
                inventory
                    .by_kind()
                    .into_iter()
                    .map(|(kind, space)| SpaceRow {
                        name: kind.name().to_owned(),
                        space,
                        needed_by: Vec::new(),
                    }),
            );
        }
        for record in &inventory.versions {
            let space = record.total();
            let places = needed_by(record);
            let mut add = |need: &mut NeededSpace| {
                need.versions += 1;
                need.space += space;
            };
            match places.is_empty() {
                true => add(&mut unneeded),
                false => places
                    .iter()
                    .filter_map(|place| needs.get_mut(*place).map(&mut add))
                    .for_each(drop),
            }
            let name = match by {
                DiskUsageBy::Kind => continue,
                DiskUsageBy::Module => record.module.path().to_string(),
                DiskUsageBy::Version => record.module.to_string(),
            };
            let names = places
                .iter()
                .filter_map(|place| projects.get(*place).cloned());
            // By path and version: the versions of a module are together.
            match rows.last_mut().filter(|row| row.name == name) {
                Some(row) => {
                    row.space += space;
                    let new = names
                        .filter(|name| !row.needed_by.contains(name))
                        .collect::<Vec<_>>();
                    row.needed_by.extend(new);
                }
                None => rows.push(SpaceRow {
                    name,
                    space,
                    needed_by: names.collect(),
                }),
            }
        }
        if by != DiskUsageBy::Kind {
            rows.sort_by_key(|row| std::cmp::Reverse(row.space.bytes));
        }
        if !projects.is_empty() {
            needs.push(unneeded);
        }
        DiskUsage {
            inventory,
            by,
            needs,
            rows,
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |space: Space, name: &str| {
            let (size, files) = (human(space.bytes), space.files);
            out.push_str(&format!("{size:>8} {files:>8}  {name}\n"));
        };
        for row in &self.rows {
            let needed = match (self.needs.is_empty(), row.needed_by.as_slice()) {
                (true, _) => String::new(),
                (false, []) if self.by != DiskUsageBy::Kind => "  (not needed)".to_owned(),
                (false, []) => String::new(),
                (false, projects) => format!("  (needed by {})", projects.join(", ")),
            };
            line(row.space, &format!("{}{needed}", row.name));
        }
        line(self.inventory.total(), "total");
        for need in &self.needs {
            let whom = match need.project.as_str() {
                "" => "needed by none of them".to_owned(),
                project => format!("needed by {project}"),
            };
            line(need.space, &format!("{whom} ({} versions)", need.versions));
        }
        out
    }

    /// One object.
    #[must_use]
    pub fn json(&self, root: &str) -> String {
        let mut object = JsonObject::new();
        object.string("Cache", root);
        object.number("Time", self.inventory.taken);
        object.boolean("AccessTimes", self.inventory.keeps_access_times);
        let total = self.inventory.total();
        object.number("Bytes", total.bytes);
        object.number("Files", total.files);
        let key = match self.by {
            DiskUsageBy::Kind => "Kinds",
            DiskUsageBy::Module => "Modules",
            DiskUsageBy::Version => "Versions",
        };
        let rows: Vec<JsonObject> = self
            .rows
            .iter()
            .map(|row| {
                let mut object = JsonObject::new();
                object.string("Name", &row.name);
                object.number("Bytes", row.space.bytes);
                object.number("Files", row.space.files);
                object.strings("NeededBy", &row.needed_by);
                object
            })
            .collect();
        object.objects(key, &rows);
        if !self.needs.is_empty() {
            let needs: Vec<JsonObject> = self
                .needs
                .iter()
                .map(|need| {
                    let mut object = JsonObject::new();
                    object.string("Project", &need.project);
                    object.number("Versions", need.versions);
                    object.number("Bytes", need.space.bytes);
                    object.number("Files", need.space.files);
                    object
                })
                .collect();
            object.objects("Needs", &needs);
        }
        object.indented() + "\n"
    }
}
