/**
 * Manifests as people have them: files, folders, standard input, {@code List}s, a whole {@code
 * kubectl get nodes,pods,ippools -A -o yaml}. What can be used becomes events; everything else is
 * said, with file, line, object, field, value and remedy.
 */
@NullMarked
package dev.sund.kube.manifest;

import org.jspecify.annotations.NullMarked;
