package dev.sund.engine;

import dev.sund.engine.cluster.Attachment;
import dev.sund.model.PodKey;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** This node's attachments, by their keys, devices and pods. Not for several threads. */
final class Attachments {
  private final Map<String, Attachment> byKey = new HashMap<>();
  private final Index<String, String> keysByDevice = new Index<>();
  private final Index<PodKey, String> devicesByPod = new Index<>();

  /** An attachment is now so, or gone; returns what it was. Its pod's devices are for links. */
  Optional<Attachment> put(String key, Optional<Attachment> now) {
    Optional<Attachment> was =
        Optional.ofNullable(now.isPresent() ? byKey.put(key, now.get()) : byKey.remove(key));
    if (!was.equals(now)) {
      was.ifPresent(before -> keysByDevice.remove(PodDevices.device(before), key));
      now.ifPresent(after -> keysByDevice.put(PodDevices.device(after), key));
    }
    return was;
  }

  /** A device is a pod's. */
  void link(PodKey pod, String device) {
    devicesByPod.put(pod, device);
  }

  /** A device is not, or no longer, a pod's. */
  void unlink(PodKey pod, String device) {
    devicesByPod.remove(pod, device);
  }

  /**
   * The attachment that a device stands for: of several with one identity (a sandbox made anew
   * before the old one is gone) the first by key.
   */
  Optional<Attachment> at(String device) {
    List<String> keys = keysByDevice.of(device);
    return keys.isEmpty() ? Optional.empty() : Optional.ofNullable(byKey.get(keys.getFirst()));
  }

  /** The pods of all attachments with a device. */
  List<PodKey> podsAt(String device) {
    return allAt(device).stream().map(Attachment::pod).toList();
  }

  /** All attachments with a device. */
  List<Attachment> allAt(String device) {
    return keysByDevice.of(device).stream()
        .flatMap(key -> Optional.ofNullable(byKey.get(key)).stream())
        .toList();
  }

  Collection<Attachment> all() {
    return byKey.values();
  }

  Collection<String> devices() {
    return keysByDevice.keys();
  }

  Collection<PodKey> pods() {
    return devicesByPod.keys();
  }

  Collection<String> devicesOf(PodKey pod) {
    return devicesByPod.of(pod);
  }
}
