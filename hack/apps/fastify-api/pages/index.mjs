import { h } from 'preact';

export default () => h('main', null, h('h1', null, 'Index'));
