/**
 * From manifests to what a lab builds: {@link dev.sund.lab.scene.SceneReader} keeps all that the
 * files say (addresses, ranges, nodes of pods) and invents what they leave open, always the same
 * for the same files; {@link dev.sund.lab.scene.Scene} is the result, with the network between the
 * nodes as an {@link dev.sund.engine.trace.Underlay}.
 */
@NullMarked
package dev.sund.lab.scene;

import org.jspecify.annotations.NullMarked;
