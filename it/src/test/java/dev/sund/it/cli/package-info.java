/** The {@code sund} command as a user runs it, as a process. */
package dev.sund.it.cli;
