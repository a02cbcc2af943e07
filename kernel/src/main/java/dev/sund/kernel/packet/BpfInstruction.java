package dev.sund.kernel.packet;

import dev.sund.model.Checks;

/**
 * One instruction of classic BPF: {@code struct sock_filter}.
 *
 * @param code what it does, of {@link Bpf}; 0 to 65535
 * @param jumpTrue how many instructions it leaves out when its condition holds, 0 to 255
 * @param jumpFalse the same when it does not
 * @param k its number
 */
public record BpfInstruction(int code, int jumpTrue, int jumpFalse, int k) {
  public BpfInstruction {
    Checks.range("code", code, 0, 0xffff);
    Checks.range("jumpTrue", jumpTrue, 0, 0xff);
    Checks.range("jumpFalse", jumpFalse, 0, 0xff);
  }

  /** One that does not jump. */
  public BpfInstruction(int code, int k) {
    this(code, 0, 0, k);
  }
}
