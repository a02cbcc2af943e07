/**
 * What {@code sund audit} prints: one report as a table, JSON, SARIF, Markdown, or a page that
 * stands for itself; and the file that says which findings are known and accepted.
 */
@NullMarked
package dev.sund.cli.audit;

import org.jspecify.annotations.NullMarked;
