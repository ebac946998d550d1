// Prints what the manufacturer's library decodes: one "codec hex" line in, one JSON line out.
'use strict';
const path = require('path');
const readline = require('readline');
const codec = require(path.join(process.argv[2], 'node_modules', '@adeunis', 'codecs'));

readline.createInterface({ input: process.stdin, terminal: false }).on('line', (line) => {
  const [deviceType, hex] = line.split(' ');
  const decoder = new codec.Decoder();
  decoder.setDeviceType(deviceType);
  process.stdout.write(JSON.stringify(decoder.decode(hex || '')) + '\n');
});
