package dev.sund.engine.cluster;

import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.util.List;

/**
 * One thing the engine is told. Events carry whole objects, never differences, so that any order of
 * the same last words gives the same state, and a repeated event changes nothing.
 */
public sealed interface ClusterEvent {

  /** What is coalesced in a mailbox: of two events with one key only the later counts. */
  ObjectRef key();

  /** A node exists, as given. */
  record NodeSeen(Node node) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Node", node.name().text());
    }
  }

  /** A node exists no more. */
  record NodeGone(NodeName name) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Node", name.text());
    }
  }

  /** A pod exists, as given. */
  record PodSeen(Pod pod) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Pod", pod.key().toString());
    }
  }

  /** A pod exists no more. */
  record PodGone(PodKey pod) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Pod", pod.toString());
    }
  }

  /** A pool exists, as given. */
  record PoolSeen(IpPool pool) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("IPPool", pool.name());
    }
  }

  /** A pool exists no more. */
  record PoolGone(String name) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("IPPool", name);
    }
  }

  /** Addresses are kept for those who ask for them by name. */
  record ReservationSeen(String name, List<Prefix> ranges) implements ClusterEvent {
    public ReservationSeen {
      ranges = List.copyOf(ranges);
    }

    @Override
    public ObjectRef key() {
      return new ObjectRef("IPReservation", name);
    }
  }

  /** Addresses are not kept any more. */
  record ReservationGone(String name) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("IPReservation", name);
    }
  }

  /** A block of a pool's addresses exists, as given. */
  record BlockSeen(AddressBlock block) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("AddressBlock", block.name());
    }
  }

  /** A block of a pool's addresses exists no more. */
  record BlockGone(String name) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("AddressBlock", name);
    }
  }

  /** The configuration of another network exists, as given. */
  record LayerSeen(FabricLayer layer) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return layer.source();
    }
  }

  /** The configuration of another network exists no more. */
  record LayerGone(ObjectRef source) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return source;
    }
  }

  /** A namespace exists, as given. */
  record NamespaceSeen(Namespace namespace) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Namespace", namespace.name());
    }
  }

  /** A namespace exists no more. */
  record NamespaceGone(String name) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Namespace", name);
    }
  }

  /**
   * A policy exists, as given. One with errors is in force too, and what is not understood of it is
   * denied.
   *
   * @param policy what holds of it
   * @param conditions what is wrong with it
   */
  record PolicySeen(Policy policy, List<Condition> conditions) implements ClusterEvent {
    public PolicySeen {
      conditions = List.copyOf(conditions);
    }

    @Override
    public ObjectRef key() {
      return policy.ref();
    }
  }

  /** A policy exists no more; the name is {@link Policy#ref}. */
  record PolicyGone(ObjectRef policy) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return policy;
    }
  }

  /**
   * All policies of a kind have been told as they were at a version of the API's.
   *
   * @param kind {@link Policy#NETWORK_POLICY} or {@link Policy#CLUSTER_NETWORK_POLICY}
   * @param version {@code resourceVersion} of the latest change, or of the list
   */
  record PoliciesTold(String kind, long version) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Policies", kind);
    }
  }

  /** A Service exists, as given. */
  record ServiceSeen(Service service) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Service", service.key().toString());
    }
  }

  /** A Service exists no more. */
  record ServiceGone(ServiceKey service) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Service", service.toString());
    }
  }

  /** A part of a Service's endpoints exists, as given. */
  record SliceSeen(EndpointSlice slice) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return slice.ref();
    }
  }

  /** A part of a Service's endpoints exists no more; the name is {@link EndpointSlice#name}. */
  record SliceGone(String slice) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("EndpointSlice", slice);
    }
  }

  /** How this node serves Services has been told; {@link ServiceSettings#DEFAULT} until then. */
  record ServicesSet(ServiceSettings settings) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Settings", "services");
    }
  }

  /**
   * How the node's table of connections is to be has been told; it is left as it is until then. No
   * matter of the packet program: it goes straight to the driver of settings.
   */
  record ConntrackSet(ConntrackSettings settings) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Settings", "conntrack");
    }
  }

  /**
   * Whether connections that policies in force forbid are cut has been told; they are kept until
   * then. No matter of the packet program either.
   */
  record StrictSet(boolean strict) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Settings", "strict");
    }
  }

  /**
   * An object exists but cannot be used as written: its last good state stays in force, and the
   * conditions say what is wrong.
   *
   * @param key the object
   * @param conditions at least one
   */
  record Refused(ObjectRef key, List<Condition> conditions) implements ClusterEvent {
    public Refused {
      conditions = List.copyOf(conditions);
    }
  }

  /**
   * All objects that existed when the watch began have been told. Nothing is swept from the kernel
   * before this.
   */
  record Synced() implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Watch", "synced");
    }
  }

  /** A pod of this node has its network. */
  record Attached(Attachment attachment) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Attachment", attachment.key());
    }
  }

  /** A pod of this node has no network any more; the key is {@link Attachment#key}. */
  record Detached(String attachmentKey) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Attachment", attachmentKey);
    }
  }

  /** This node has a network on a bridge, as given. */
  record NetworkSeen(BridgedNetwork network) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Network", network.name());
    }
  }

  /** This node has no such network any more. */
  record NetworkGone(String name) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Network", name);
    }
  }

  /**
   * Pools' addresses that this node has taken for its own end of the tunnels: at most one of each
   * family. Of no meaning where the nodes' own ranges are given from.
   */
  record TunnelsAddressed(List<Ip> addresses) implements ClusterEvent {
    public TunnelsAddressed {
      addresses = List.copyOf(addresses);
    }

    @Override
    public ObjectRef key() {
      return new ObjectRef("Tunnels", "addresses");
    }
  }

  /** A container of this node, in another plugin's network, has ports at the node, as given. */
  record PortsSeen(MappedContainer container) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Container", container.key());
    }
  }

  /** A container has no such ports any more; the name is {@link MappedContainer#key}. */
  record PortsGone(String container) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Container", container);
    }
  }

  /** A container of this node is on a bridge, as given. */
  record BridgeJoined(PortOnBridge port) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("BridgePort", port.key());
    }
  }

  /** A container is on a bridge no more; the name is {@link PortOnBridge#key}. */
  record BridgeLeft(String container) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("BridgePort", container);
    }
  }

  /** What this node's kernel has that Sund did not make. */
  record FactsSeen(NodeFacts facts) implements ClusterEvent {
    @Override
    public ObjectRef key() {
      return new ObjectRef("Kernel", "facts");
    }
  }
}
