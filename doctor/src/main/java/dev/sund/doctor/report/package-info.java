/**
 * What a colleague needs to see of a node: a tree that the checks judge alike, and configuration,
 * with secrets taken out, in one archive.
 */
package dev.sund.doctor.report;
