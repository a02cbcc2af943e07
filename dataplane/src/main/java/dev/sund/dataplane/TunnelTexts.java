package dev.sund.dataplane;

import dev.sund.dataplane.rows.FdbRow;
import dev.sund.dataplane.rows.NeighbourRow;
import dev.sund.dataplane.rows.TunnelRow;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;

/** How tunnels' objects are named, and what is said of those whose place is taken. */
final class TunnelTexts {
  private TunnelTexts() {}

  static Condition foreignDevice(ObjectRef object) {
    return new Condition(
        Reason.FOREIGN_OBJECT,
        object,
        "",
        "A device of this name is there that Sund did not make. It is left alone, and nodes behind"
            + " the tunnel cannot be reached.",
        "Remove or rename it: ip link delete " + object.name() + ".");
  }

  static Condition foreignNetwork(ObjectRef object, TunnelRow row, String device) {
    return switch (row.fixed().wire()) {
      case TunnelRow.Wire.Vxlan(var vni, var port, _, _) ->
          foreignNetwork(object, vni, port, device);
      case TunnelRow.Wire.Ipip _ -> foreignEnd(object, row, device);
    };
  }

  private static Condition foreignEnd(ObjectRef object, TunnelRow row, String device) {
    return new Condition(
        Reason.FOREIGN_OBJECT,
        object,
        "local",
        "The device "
            + device
            + ", which Sund did not make, takes IPIP packets at "
            + row.fixed().local().map(Object::toString).orElse("any address")
            + " already. It is left alone, and nodes behind the tunnel cannot be reached.",
        "Remove it: ip link delete " + device + ".");
  }

  private static Condition foreignNetwork(ObjectRef object, int vni, int port, String device) {
    return new Condition(
        Reason.FOREIGN_OBJECT,
        object,
        "vni",
        "The device "
            + device
            + ", which Sund did not make, has VNI "
            + vni
            + " and port "
            + port
            + " already. It is left alone, and nodes behind the tunnel cannot be reached.",
        "Remove it (ip link delete " + device + "), or give Sund another VNI or port.");
  }

  static ObjectRef object(String device) {
    return new ObjectRef("tunnel", device);
  }

  static ObjectRef object(NeighbourRow.Key key) {
    return new ObjectRef("neighbour", key.ip() + " dev " + key.device());
  }

  static ObjectRef object(FdbRow.Key key) {
    return new ObjectRef("fdb", key.mac() + " dev " + key.device());
  }
}
