/**
 * What other networks' installers were told, read once and turned into Sund's own objects: each
 * value of Cilium's Helm chart with what becomes of it. What agents follow while they run (Calico's
 * and flannel's objects) is in {@link dev.sund.kube.object}.
 */
@NullMarked
package dev.sund.kube.foreign;

import org.jspecify.annotations.NullMarked;
