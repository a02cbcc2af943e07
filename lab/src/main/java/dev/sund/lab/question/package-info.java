/**
 * The one vocabulary of prediction and measurement: a {@link dev.sund.lab.question.Question} is put
 * to both, each gives an {@link dev.sund.lab.question.Answer}, and the matrix compares the answers.
 */
@NullMarked
package dev.sund.lab.question;

import org.jspecify.annotations.NullMarked;
