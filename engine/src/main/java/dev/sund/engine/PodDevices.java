package dev.sund.engine;

import dev.sund.engine.cluster.Attachment;
import dev.sund.model.Checks;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.RuleId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * How the device of a pod's interface is named and addressed: by the pod's identity alone, so that
 * whoever reads the API can say which device is whose, without asking the agent that made it.
 *
 * <p>The identity is the pod's uid; a pod attached without one (a runtime that names no pod) is
 * known by its sandbox's container id.
 */
public final class PodDevices {
  /** Linux allows 15 bytes; the prefix takes 4. */
  private static final int HASH_CHARACTERS = 11;

  private PodDevices() {}

  /**
   * The host-side device: {@link Marks#POD_DEVICE_PREFIX} and the first 11 hexadecimal digits of
   * SHA-256 of {@code IDENTITY/INTERFACE}.
   *
   * @param identity the pod's uid, or its container id when it has none; not empty
   * @param interfaceName the device's name inside the pod
   */
  public static String device(String identity, String interfaceName) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(seed(identity, interfaceName).getBytes(StandardCharsets.UTF_8));
      return Marks.POD_DEVICE_PREFIX
          + HexFormat.of().formatHex(digest).substring(0, HASH_CHARACTERS);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /** The host-side device of an attachment. */
  public static String device(Attachment attachment) {
    return device(identity(attachment), attachment.interfaceName());
  }

  /** The address of the pod's side of the link, derived as the device's name is. */
  public static Mac mac(String identity, String interfaceName) {
    return Mac.derivedFrom(seed(identity, interfaceName));
  }

  /** The address of the pod's side of an attachment's link: the one asked for, or the derived. */
  public static Mac mac(Attachment attachment) {
    return attachment.mac().orElseGet(() -> mac(identity(attachment), attachment.interfaceName()));
  }

  /** What an attachment is known by: its pod's uid, else its container id. */
  public static String identity(Attachment attachment) {
    return attachment.uid().isEmpty() ? attachment.containerId() : attachment.uid();
  }

  /** The rule of an attachment's rows: {@code Pod:NAMESPACE/NAME:IDENTITY:none:0}. */
  public static RuleId rule(Attachment attachment) {
    return RuleId.of("Pod", attachment.pod().toString(), identity(attachment));
  }

  /** The ifalias of a device of ours. */
  public static String alias(RuleId rule) {
    return Marks.ALIAS_PREFIX + " " + rule;
  }

  private static String seed(String identity, String interfaceName) {
    return Checks.notEmpty("pod identity", identity)
        + "/"
        + Checks.notEmpty("interface name", interfaceName);
  }
}
