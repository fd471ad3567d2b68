//! A status as Markdown: a table for a job summary or a chat.

use super::status_words::{NO_REASON, age, summary_line};
use crate::model::inventory::ProviderKind;
use crate::model::safe::safe;
use crate::model::status::{
    Copies, CopyUnderWay, FailedCopy, JobStatus, Readiness, SourceNewest, Status,
};
use crate::model::words::{count, utc};

/// The status as a document.
pub fn status(status: &Status) -> String {
    let world = match status.provider {
        ProviderKind::Aws => "AWS",
        ProviderKind::Sandbox => "a sandbox",
    };
    let mut text = format!(
        "**{}**\n\n{} on {world}, seen {}.\n\n",
        summary_line(&status.summary, status.max_age_seconds),
        escaped(&status.config.path),
        utc(status.observed_at)
    );
    text.push_str("| job | from → to | state | newest usable copy | under way | failed | left without the source |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for job in &status.jobs {
        text.push_str(&row(job));
    }
    let mut said = false;
    for job in &status.jobs {
        for line in remarks(job) {
            if !said {
                text.push('\n');
                said = true;
            }
            text.push_str(&format!("- {}: {line}\n", escaped(job.name.as_str())));
        }
    }
    text
}

fn row(job: &JobStatus) -> String {
    let way = job.regions().map_or_else(String::new, |(from, to)| {
        format!("{} → {}", escaped(from.as_str()), escaped(to.as_str()))
    });
    let state = match job.readiness {
        Readiness::Ready => "ready".to_owned(),
        Readiness::NoCopy | Readiness::TooOld | Readiness::AgeUnknown => {
            format!("**not ready**: {}", escaped(&job.reason))
        }
        Readiness::Unknown => format!("**not known**: {}", escaped(&job.reason)),
    };
    let cells = job.copies.as_ref().map(cells).unwrap_or_default();
    let name = escaped(job.name.as_str());
    format!("| {name} | {way} | {state} | {} |\n", cells.join(" | "))
}

/// What the destination has: usable, under way, failed, left.
fn cells(copies: &Copies) -> [String; 4] {
    let usable = copies.newest_usable.as_ref().map_or_else(
        || "none".to_owned(),
        |copy| format!("{}, {}", escaped(&copy.id), age(copy)),
    );
    let under_way = copies.under_way.iter().map(|copy| {
        let CopyUnderWay { id, percent, .. } = copy;
        let done = percent.map_or_else(String::new, |percent| format!(" {percent} %"));
        format!("{}{done}", escaped(id))
    });
    let failed = copies.failed.iter().map(|copy| {
        let FailedCopy { id, reason, .. } = copy;
        let why = reason.as_deref().unwrap_or(NO_REASON);
        format!("{}: {}", escaped(id), escaped(why))
    });
    [
        usable,
        cut(under_way.collect()),
        cut(failed.collect()),
        count(copies.left.count, "copy", "copies"),
    ]
}

/// What does not fit into the table.
fn remarks(job: &JobStatus) -> impl Iterator<Item = String> {
    let source = match &job.source_newest {
        Some(SourceNewest::Unknown { problem }) => Some(format!(
            "**source unknown**: {}",
            escaped(&problem.to_string())
        )),
        Some(SourceNewest::Absent) => Some("the source has nothing to copy".to_owned()),
        Some(SourceNewest::Present { .. }) | None => None,
    };
    let warnings = job.warnings.iter().map(|warning| escaped(warning));
    let errors = job
        .errors
        .iter()
        .map(|problem| format!("**{}**", escaped(&problem.to_string())));
    source.into_iter().chain(warnings).chain(errors)
}

/// A list in a cell; nobody reads on after so many.
fn cut(items: Vec<String>) -> String {
    const SHOWN: usize = 3;
    let more = items.len().saturating_sub(SHOWN);
    let mut cell = items
        .into_iter()
        .take(SHOWN)
        .collect::<Vec<_>>()
        .join("<br>");
    if more > 0 {
        cell.push_str(&format!("<br>and {more} more"));
    }
    cell
}

/// A text from the world as Markdown that shows it and nothing else, in a table, too.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in safe(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // As entities these are letters to every parser: a backslash would be one more thing to be parsed, and
            // mentions and links are found in spite of it.
            '@' | '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '$' | '#' | '!' => {
                escaped.push_str(&format!("&#{};", u32::from(c)));
            }
            c => escaped.push(c),
        }
    }
    // Nor does an address become a link.
    escaped
        .replace("://", "&#58;//")
        .replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_means_something_in_markdown_is_shown_as_it_stands() {
        assert_eq!(
            escaped("a|b`c`<img src=x>@me *x* [l](u)\n"),
            "a&#124;b&#96;c&#96;&lt;img src=x&gt;&#64;me &#42;x&#42; &#91;l&#93;(u)&#92;n"
        );
        assert_eq!(escaped("https://x.org"), "https&#58;//x.org");
        assert_eq!(
            escaped("rds-mydatabase-2026-01-14-05-10"),
            "rds-mydatabase-2026-01-14-05-10"
        );
    }
}
