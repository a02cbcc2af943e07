package dev.sund.engine.hostlocal;

/**
 * An interface of a container, which holds addresses.
 *
 * @param containerId the container
 * @param interfaceName the interface's name in it
 */
public record AddressOwner(String containerId, String interfaceName) {
  /** {@code CONTAINER/INTERFACE}. */
  @Override
  public String toString() {
    return containerId + "/" + interfaceName;
  }
}
