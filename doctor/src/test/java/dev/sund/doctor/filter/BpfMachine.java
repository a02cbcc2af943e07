package dev.sund.doctor.filter;

import static dev.sund.kernel.packet.Bpf.*;

import dev.sund.kernel.packet.BpfInstruction;
import java.util.List;

/**
 * Runs classic BPF as the kernel does, on a packet of a file: without what the kernel knows
 * besides.
 */
final class BpfMachine {
  private BpfMachine() {}

  /** How much of the packet is wanted: 0 for none. */
  static int run(List<BpfInstruction> program, byte[] packet, int length) {
    int a = 0;
    int x = 0;
    int[] memory = new int[BPF_MEMWORDS];
    for (int at = 0; ; at++) {
      BpfInstruction one = program.get(at);
      int code = one.code();
      int k = one.k();
      int operand = (code & BPF_X) != 0 ? x : k;
      switch (code & 7) {
        case BPF_LD -> {
          int mode = code & 0xe0;
          if (mode == BPF_ABS || mode == BPF_IND) {
            long from =
                Integer.toUnsignedLong(k) + (mode == BPF_IND ? Integer.toUnsignedLong(x) : 0);
            int size =
                switch (code & 0x18) {
                  case BPF_W -> 4;
                  case BPF_H -> 2;
                  default -> 1;
                };
            if (from + size > packet.length) {
              return 0;
            }
            a = 0;
            for (int i = 0; i < size; i++) {
              a = a << 8 | packet[(int) from + i] & 0xff;
            }
          } else {
            a = mode == BPF_LEN ? length : mode == BPF_MEM ? memory[k] : k;
          }
        }
        case BPF_LDX -> {
          if ((code & 0xe0) == BPF_MSH) {
            if (k >= packet.length) {
              return 0;
            }
            x = 4 * (packet[k] & 0xf);
          } else {
            x = (code & 0xe0) == BPF_MEM ? memory[k] : k;
          }
        }
        case BPF_ST -> memory[k] = a;
        case BPF_ALU -> {
          if (((code & 0xf0) == BPF_DIV || (code & 0xf0) == BPF_MOD) && operand == 0) {
            return 0;
          }
          a =
              switch (code & 0xf0) {
                case BPF_ADD -> a + operand;
                case BPF_SUB -> a - operand;
                case BPF_MUL -> a * operand;
                case BPF_DIV -> Integer.divideUnsigned(a, operand);
                case BPF_MOD -> Integer.remainderUnsigned(a, operand);
                case BPF_AND -> a & operand;
                case BPF_OR -> a | operand;
                case BPF_XOR -> a ^ operand;
                case BPF_LSH -> operand < 0 || operand > 31 ? 0 : a << operand;
                case BPF_RSH -> operand < 0 || operand > 31 ? 0 : a >>> operand;
                default -> -a;
              };
        }
        case BPF_JMP -> {
          if ((code & 0xf0) == BPF_JA) {
            at += k;
          } else {
            int order = Integer.compareUnsigned(a, operand);
            boolean holds =
                switch (code & 0xf0) {
                  case BPF_JEQ -> order == 0;
                  case BPF_JGT -> order > 0;
                  default -> order >= 0;
                };
            at += holds ? one.jumpTrue() : one.jumpFalse();
          }
        }
        case BPF_RET -> {
          return k;
        }
        default -> x = a;
      }
    }
  }
}
