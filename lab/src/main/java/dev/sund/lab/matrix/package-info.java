/**
 * What is asked of a scene ({@link dev.sund.lab.matrix.QuestionPlan}), and the three answers to
 * each question side by side: wanted, in force, measured ({@link dev.sund.lab.matrix.Matrix}), as
 * lines for people or as JSON.
 */
@NullMarked
package dev.sund.lab.matrix;

import org.jspecify.annotations.NullMarked;
