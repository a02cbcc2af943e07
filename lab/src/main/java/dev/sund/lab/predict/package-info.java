/**
 * Predicts answers: {@link dev.sund.lab.predict.Prediction} follows each question's packets over
 * the nodes' programs and the underlay with the path tracer, and knows nothing else but which ports
 * the scene declares. It never sees a measurement or a socket; a test holds that.
 */
@NullMarked
package dev.sund.lab.predict;

import org.jspecify.annotations.NullMarked;
